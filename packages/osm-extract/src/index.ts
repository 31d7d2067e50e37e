/**
 * An .osm.pbf file to objects with tags, version, timestamp and geometry: nodes become points, ways lines or areas,
 * multipolygon and boundary relations areas.
 *
 * @example
 * import { extract } from '@skyscript/osm-extract'
 * const extraction = extract('examples/demo/town.osm.pbf', { wanted: new Map([['building', true]]) })
 * for await (const { id, tags, geometry } of extraction) console.log(id, tags.building, geometry.type)
 * console.log(extraction.report().dropped)
 */
export { type AreaFault, assembleArea } from './assemble-area.ts'
export { type BlobIndex, openPbf, type PbfFile } from './blobs.ts'
export { type BlockVisitor, type Relation, visitBlock, type Way } from './block.ts'
export { APPLY_VERSION, type AppliedChanges, type ApplyOptions, applyChanges } from './changes/apply-changes.ts'
export type { Element } from './element.ts'
export { type Extraction, type ExtractOptions, type ExtractReport, extract } from './extract.ts'
export type { FeatureChunk } from './feature-writer.ts'
export { type PbfHeader, parseHeader } from './header.ts'
export { lateWarning } from './history.ts'
export type { NodeGroup } from './nodes.ts'
export { type Origin, PbfFault } from './pbf-fault.ts'
export { readHeader } from './read-header.ts'
export { type IntegerLine, type Shape, toGeometry } from './shape.ts'
export type { TagRules } from './tag-rules.ts'
export type { TagVerdicts, Verdict } from './tag-verdicts.ts'
