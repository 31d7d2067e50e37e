import type { Job } from './job.ts'

export interface QueuedJob {
  readonly job: Job
  /** A result with the job's name is in storage and doesn't stand: that it is there proves nothing. */
  readonly isRedone: boolean
}

/** Jobs on their way from a flow to a runner, by stage, in the order in which they came. */
export class JobQueue {
  /** Of all stages that there may be jobs of. */
  readonly stages: readonly string[]
  readonly #waiting: ReadonlyMap<string, QueuedJob[]>
  /** How many jobs of each stage were taken from the front of its list. */
  readonly #taken = new Map<string, number>()
  #hasEnded = false
  #change = Promise.withResolvers<void>()

  constructor(stages: readonly string[]) {
    this.stages = stages
    this.#waiting = new Map(stages.map((stage) => [stage, []]))
  }

  push(queued: QueuedJob): void {
    this.#waiting.get(queued.job.stage)!.push(queued)
    this.#changed()
  }

  /** No more jobs will come. */
  end(): void {
    this.#hasEnded = true
    this.#changed()
  }

  /** The next job of a stage, if there is one now. */
  take(stage: string): QueuedJob | undefined {
    const list = this.#waiting.get(stage)!
    const taken = this.#taken.get(stage) ?? 0
    const next = list[taken]
    if (next === undefined) return undefined
    // Freed in large pieces: taking from the front of a long array moves all the rest.
    if (taken === 1023) list.splice(0, 1024)
    this.#taken.set(stage, taken === 1023 ? 0 : taken + 1)
    return next
  }

  /** The next job of a stage, once there is one; undefined when no more will come. */
  async next(stage: string, signal: AbortSignal): Promise<QueuedJob | undefined> {
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    const onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      for (;;) {
        signal.throwIfAborted()
        const next = this.take(stage)
        if (next !== undefined || this.#hasEnded) return next
        await Promise.race([this.change, aborted])
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Whether no job waits and none will come. */
  get isDone(): boolean {
    return (
      this.#hasEnded && this.stages.every((stage) => this.#waiting.get(stage)!.length === (this.#taken.get(stage) ?? 0))
    )
  }

  /**
   * Resolves at the next job or at the end. Who looks at the queue takes it before looking, so that nothing that comes
   * meanwhile is missed.
   */
  get change(): Promise<void> {
    return this.#change.promise
  }

  #changed(): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers<void>()
  }
}
