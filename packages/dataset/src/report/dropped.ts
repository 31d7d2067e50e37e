/**
 * `dropped.csv`: header `reason,count`, most frequent first, ties by name; failures are listed as `failed:<code>`.
 * Reasons and codes are our own kebab-case names; other characters would need quoting, so they are refused.
 */
export function droppedCsv(counts: {
  readonly dropped: Readonly<Record<string, number>>
  readonly failed: Readonly<Record<string, number>>
}): string {
  const rows = [
    ...Object.entries(counts.dropped),
    ...Object.entries(counts.failed).map(([code, count]) => [`failed:${code}`, count] as const),
  ].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  const lines = rows.map(([reason, count]) => {
    if (!/^[a-z0-9:._-]+$/i.test(reason)) throw new TypeError(`"${reason}" is not the name of a reason.`)
    return `${reason},${count}\n`
  })
  return `reason,count\n${lines.join('')}`
}
