/**
 * Compares two published datasets by their contract: lock, manifest and CSVs.
 *
 * @example
 * const [before, after] = [await sideOfDataset(old), await sideOfDataset(now)]
 * const changes = await compareDatasets(before, after)
 * console.log(changes.pairs?.counts.added)
 */
export { type Changes, changesJson, compareDatasets, type Described, differs } from './changes.ts'
export {
  type ChangedPair,
  type CsvChange,
  type Ids,
  IMAGE_PARTS,
  type PairChanges,
  REASONS,
  type Reason,
  type TagChange,
} from './compare.ts'
export { type Chosen, type Example, firstPairs, readExamples } from './examples.ts'
export { readMembers } from './members.ts'
export { openPairs, type Side, type SideCsv, type SidePairs, sideOf, sideOfDataset, sideOfLock } from './side.ts'
export { changesText, pairsLine } from './text.ts'
