/** Jobs, and who does them. */
export { resultKey } from '../results.ts'
export { JobQueue } from './job-queue.ts'
export { type Execute, type Job, type JobFailure, type Runner, runKey } from './runner.ts'
