/** Jobs, and who does them. */
export { resultKey } from '../results.ts'
export type { Job } from './job.ts'
export { JobQueue } from './job-queue.ts'
export { type Execute, type JobFailure, type Runner, runKey } from './runner.ts'
