/**
 * One order for the tags of every object: by how often the tag (key and value) is used in OSM, most frequent first.
 * Ties and tags that the table doesn't hold follow by key, then value, so that the order never depends on the region.
 *
 * @param frequency by `key=value`
 */
export function createTagOrder(frequency: Readonly<Record<string, number>>): (tags: [string, string][]) => [string, string][] {
  const counts = new Map(Object.entries(frequency))
  const countOf = ([key, value]: readonly [string, string]) => counts.get(`${key}=${value}`) ?? 0
  return (tags) => {
    if (tags.length < 2) return tags
    return tags.sort((a, b) => countOf(b) - countOf(a) || compare(a[0], b[0]) || compare(a[1], b[1]))
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
