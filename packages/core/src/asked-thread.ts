import { type ResourceLimits, type TransferListItem, Worker } from 'node:worker_threads'

/** What a thread answers: a value, or anything else that says why there is none. */
export type ThreadAnswer = { readonly type: 'done'; readonly value: unknown } | { readonly type: string }

export interface AskedThreadOptions<Answer extends ThreadAnswer> {
  readonly workerData?: unknown
  readonly resourceLimits?: ResourceLimits
  /** The error in place of a value. */
  errorOf(answer: Exclude<Answer, { type: 'done' }>): Error
  /** The error if the thread ended by itself, of lack of memory in general. */
  died(): Error
}

interface Question {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** A thread that answers in the order in which it is asked. */
export class AskedThread<Answer extends ThreadAnswer = ThreadAnswer> {
  readonly #worker: Worker
  readonly #questions: Question[] = []
  #ended: Error | null = null

  /** @param file a module that answers each message, except those of `tell`, with one message */
  constructor(file: URL, { workerData, resourceLimits, errorOf, died }: AskedThreadOptions<Answer>) {
    this.#worker = new Worker(file, { workerData, ...(resourceLimits && { resourceLimits }) })
    this.#worker.on('message', (answer: Answer) => {
      const question = this.#questions.shift()
      // An answer may arrive after the error of a thread that gave it.
      if (question === undefined) return
      if (answer.type === 'done') question.resolve((answer as { value: unknown }).value)
      else question.reject(errorOf(answer as Exclude<Answer, { type: 'done' }>))
    })
    this.#worker.on('error', (error) => {
      const outOfMemory = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
      this.#fail(outOfMemory ? died() : (error as Error))
    })
    this.#worker.on('exit', () => this.#fail(died()))
  }

  /** Whether all further questions are refused, because the thread has ended. */
  get hasEnded(): boolean {
    return this.#ended !== null
  }

  /** Questions that have no answer yet. */
  get waiting(): number {
    return this.#questions.length
  }

  /** @param transfer memory in the message that is given away and not copied */
  ask(message: unknown, transfer: readonly TransferListItem[] = []): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended) reject(this.#ended)
      else {
        // A message that can't be sent throws here, and has no answer.
        this.#worker.postMessage(message, transfer)
        this.#questions.push({ resolve, reject })
      }
    })
  }

  tell(message: unknown): void {
    this.#worker.postMessage(message)
  }

  /** Whether the process waits for the thread before it ends; it does by default. */
  keepsProcess(isKept: boolean): void {
    if (isKept) this.#worker.ref()
    else this.#worker.unref()
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#ended ??= error
    for (const question of this.#questions.splice(0)) question.reject(this.#ended)
  }
}
