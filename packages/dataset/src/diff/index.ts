/**
 * Compares two published datasets by their contract: lock, manifest and CSVs.
 *
 * @example
 * const [before, after] = [await sideOfDataset(old), await sideOfDataset(now)]
 * const changes = await compareDatasets(before, after)
 * console.log(changes.pairs?.counts.added)
 */
export { type Changes, changesJson, compareDatasets, differs } from './changes.ts'
export type { PairChanges } from './compare.ts'
export { type Chosen, firstPairs, readExamples } from './examples.ts'
export { readMembers } from './members.ts'
export { openPairs, type Side, type SideCsv, sideOf, sideOfDataset, sideOfLock } from './side.ts'
export { changesText, pairsLine } from './text.ts'
