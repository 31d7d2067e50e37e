/**
 * The files of a dataset that are for people: the report page, the attribution and the list of drop reasons.
 */
export { attributionMarkdown, creditLines, type SourceAttribution, type Terms } from './attribution.ts'
export { benchmarksPage } from './benchmarks-page.ts'
export { type ChangeExample, changesPage } from './changes-page.ts'
export {
  createReportCollector,
  type ReportCollector,
  type ReportData,
  type ReportInput,
  type ReportPair,
  type ReportSummary,
  type ScoreStats,
  type SourceStats,
} from './collector.ts'
export { droppedCsv } from './dropped.ts'
export { evaluationsPage, writeEvaluationsPage } from './evaluations-page.ts'
export { ofScorers, reportPage } from './page.ts'
export { renderReport } from './render.ts'
export type { ReportRow } from './sample.ts'
export { thumbnail } from './thumbnail.ts'
