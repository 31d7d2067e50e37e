/** The name that is most like a text, by the letters that have to change; null for none. */
export function nearest(text: string, names: readonly string[]): string | null {
  let [best, least]: [string | null, number] = [null, Infinity]
  for (const name of names) {
    const changes = changesBetween(text.toLowerCase(), name.toLowerCase())
    if (changes < least) [best, least] = [name, changes]
  }
  return best
}

/** Levenshtein's distance. */
function changesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
