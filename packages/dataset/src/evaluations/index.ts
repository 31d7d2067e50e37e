/** Results of evaluations that were saved beside a dataset. */
export { readEvaluations, type SavedEvaluation, type ShownEvaluation } from './read-evaluations.ts'
export { type ResultTable, resultTables } from './tables.ts'
