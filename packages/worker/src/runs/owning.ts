import type { Storage, Terminal } from '@skyscript/core'
import { type LeaseClaim, takeLease } from '@skyscript/pipeline/ownership'
import { closeInTime, interruptSignal, isLeftBehind } from '../terminal/interrupt.ts'

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
  const interrupt = interruptSignal(terminal, 'start over')
  const { signal } = interrupt
  const onWait = (text: string) => terminal.note(text)
  let release = async () => {}
  const run = async () => {
    if (claim === null) return task(signal)
    const lease = await takeLease(storage, claim, { onWait, signal })
    release = () => lease.release()
    return task(AbortSignal.any([signal, lease.signal]))
  }
  try {
    return await interrupt.race(run())
  } finally {
    await closeInTime(async () => {
      // A task that was left behind may still write: then the output stays taken until the process has ended.
      if (!isLeftBehind()) await release()
    })
    interrupt.release()
  }
}
