/** What a build looks at before it begins, for doctor too. */
export { checkExtract, type ExtractFacts } from './check-extract.ts'
export { fileChecks } from './check-files.ts'
export { checkChanges } from './map-changes/check-changes.ts'
