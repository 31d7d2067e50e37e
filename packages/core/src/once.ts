/** What `make` makes at the first call, for every call; a promise that fails is made again by the next one. */
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
