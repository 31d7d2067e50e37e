/**
 * Contracts and pure helpers that every other package builds on. No I/O client lives here.
 *
 * @example
 * import { boxOf, mapTileAt, seededFraction } from '@skyscript/core'
 * const box = boxOf({ type: 'Point', coordinates: [1.52, 42.5] })
 * mapTileAt([1.52, 42.5]) // 'x1815_y1325'
 * seededFraction(51, 'shift-x', 'n123') // always the same number in [0, 1)
 */
// The parser of region files is only at @skyscript/core/config: it takes longer to load than everything else together.

export * from './asked-thread.ts'
export * from './breathe.ts'
export type { Config } from './config.ts'
export * from './config-places.ts'
export type { SourceSettings } from './config-sources.ts'
export * from './csv.ts'
export * from './device.ts'
export * from './errors.ts'
export * from './feature.ts'
export * from './fingerprint.ts'
export * from './format.ts'
export * from './geo.ts'
export * from './geometry-area.ts'
export * from './geometry-box.ts'
export * from './geometry-tiles.ts'
export * from './hidden-rule.ts'
export * from './hosts.ts'
export * from './ids.ts'
export * from './labels.ts'
export * from './lines.ts'
export * from './once.ts'
export * from './outcome.ts'
export * from './printable.ts'
export * from './process-identity.ts'
export * from './progress.ts'
export * from './records.ts'
export * from './redact.ts'
export * from './retry.ts'
export * from './schema-faults.ts'
export * from './seeded.ts'
export { type SegmentIndex, segmentIndexOf } from './segment-index.ts'
export * from './sort-in-turns.ts'
export type { XyzSettings } from './source-kinds/xyz.ts'
export * from './storage.ts'
export * from './version.ts'
