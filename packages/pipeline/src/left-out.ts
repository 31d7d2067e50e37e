import type { SourceImage } from '@skyscript/gee-fetch'

/** Ids of images that may not be used, by source and reason: other map tiles have the same ones. */
export type LeftOut = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

/** Takes what sources found in a map tile. */
export function collectLeftOut() {
  const ids = new Map<string, Map<string, Set<string>>>()
  return {
    add(source: string, images: Iterable<Pick<SourceImage, 'imageId' | 'unusable'>>): void {
      for (const { imageId, unusable } of images) {
        if (unusable === undefined) continue
        const reasons = ids.get(source) ?? new Map<string, Set<string>>()
        ids.set(source, reasons)
        reasons.set(unusable, (reasons.get(unusable) ?? new Set()).add(imageId))
      }
    },
    all: (): LeftOut => sortedBy(ids, (each) => [...each].sort()),
  }
}

/** Numbers of images left out in some map tiles, by source and reason; each image counts once. */
export function countLeftOut(tiles: Iterable<LeftOut>): Record<string, Record<string, number>> {
  const ids = new Map<string, Map<string, Set<string>>>()
  for (const tile of tiles) {
    for (const [source, reasons] of Object.entries(tile)) {
      const known = ids.get(source) ?? new Map<string, Set<string>>()
      ids.set(source, known)
      for (const [reason, list] of Object.entries(reasons)) {
        const all = known.get(reason) ?? new Set()
        known.set(reason, all)
        for (const id of list) all.add(id)
      }
    }
  }
  return sortedBy(ids, ({ size }) => size)
}

function sortedBy<T, R>(table: ReadonlyMap<string, ReadonlyMap<string, T>>, of: (value: T) => R) {
  const sorted = <V>(map: ReadonlyMap<string, V>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(
    sorted(table).map(([name, inner]) => [
      name,
      Object.fromEntries(sorted(inner).map(([key, value]) => [key, of(value)])),
    ]),
  ) as Record<string, Record<string, R>>
}
