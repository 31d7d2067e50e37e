import type { Geometry, OsmObject, Tags } from './records.ts'

/** One line of the GeoJSON text sequence that `skyscript extract` writes, without the line end. Keys in a fixed order. */
export function toFeatureLine({ id, geometry, tags, version, timestamp }: OsmObject): string {
  return JSON.stringify({ type: 'Feature', id, geometry, properties: { tags, version, timestamp } })
}

interface Feature {
  id: string
  geometry: Geometry
  properties: { tags: Tags; version: number; timestamp: string | null }
}

/** The reverse; trusts that `toFeatureLine` wrote the line. */
export function fromFeatureLine(line: string): OsmObject {
  const { id, geometry, properties } = JSON.parse(line) as Feature
  return { id, geometry, tags: properties.tags, version: properties.version, timestamp: properties.timestamp }
}
