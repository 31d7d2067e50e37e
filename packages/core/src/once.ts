/** Calls `make` at the first call and returns that result for every call; after a promise that rejected it calls it again. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    if (made) return made.value
    const mine = { value: make() }
    made = mine
    if (mine.value instanceof Promise)
      mine.value.catch(() => {
        if (made === mine) made = undefined
      })
    return mine.value
  }
}
