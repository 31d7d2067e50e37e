import type { Storage, Terminal } from '@skyscript/core'
import { type Lease, type LeaseClaim, takeLease } from '@skyscript/pipeline/ownership'
import { closeInTime, interruptSignal, isLeftBehind } from '../terminal/interrupt.ts'

/** What a task works with. */
export interface Run {
  readonly terminal: Terminal
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal
  /** Closed when the task has ended, or has been left behind: last opened, first closed. */
  readonly opened: AsyncDisposableStack
}

/**
 * Runs a task that ends in order after an interrupt.
 *
 * @param next what the same command does when it is run again
 * @throws what the task throws, and the signal's reason if the task doesn't end in time
 */
export async function interruptible<T>(
  terminal: Terminal,
  next: 'resume' | 'start over',
  task: (run: Run) => Promise<T>,
): Promise<T> {
  const interrupt = interruptSignal(terminal, next)
  const opened = new AsyncDisposableStack()
  try {
    return await interrupt.race(task({ terminal, signal: interrupt.signal, opened }))
  } finally {
    await closeInTime(() => opened.disposeAsync())
    interrupt.release()
  }
}

/**
 * Takes an output for a task, until it has ended.
 *
 * @throws as `takeLease`
 */
export async function takeOutput(
  storage: Storage,
  claim: LeaseClaim,
  { terminal, signal, opened }: Run,
): Promise<Lease> {
  const lease = await takeLease(storage, claim, { onWait: (text) => terminal.note(text), signal })
  opened.defer(async () => {
    // A task that was left behind may still write: then the output stays taken until the process has ended.
    if (!isLeftBehind()) await lease.release()
  })
  return lease
}

/**
 * Runs a task that writes to a dataset while no other command does.
 *
 * @param claim null: the task writes elsewhere
 * @throws as `takeLease`, and what the task throws
 */
export async function owning<T>(
  storage: Storage,
  claim: LeaseClaim | null,
  terminal: Terminal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return interruptible(terminal, 'start over', async (run) => {
    if (claim === null) return task(run.signal)
    const lease = await takeOutput(storage, claim, run)
    return task(AbortSignal.any([run.signal, lease.signal]))
  })
}
