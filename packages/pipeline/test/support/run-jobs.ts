import type { Job } from '../../src/runner/job.ts'
import { JobQueue } from '../../src/runner/job-queue.ts'
import type { JobFailure, Runner } from '../../src/runner/runner.ts'

/** Has some jobs done, and gives the failures. */
export async function runJobs(
  runner: Runner,
  jobs: readonly Job[],
  onEnd: (job: Job) => void,
  signal: AbortSignal,
  { isRedone = false } = {},
): Promise<JobFailure[]> {
  const failures: JobFailure[] = []
  const queue = new JobQueue([...new Set(jobs.map(({ stage }) => stage))])
  for (const job of jobs) queue.push({ job, isRedone })
  queue.end()
  await runner.run(
    queue,
    (job, failure) => {
      if (failure) failures.push(failure)
      onEnd(job)
    },
    signal,
  )
  return failures
}
