/** A command whose thread is in native code, which nothing interrupts, and whose own task does not end. */
import { Worker } from 'node:worker_threads'
import { closeInTime, endProcess, interruptSignal } from '../../packages/worker/src/terminal/interrupt.ts'
import { createTerminal } from '../../packages/worker/src/terminal/terminal.ts'

// A call that waits for another program can't be ended by terminating its thread, as one of onnxruntime can't.
const stuck = "require('node:child_process').spawnSync('sleep', ['60'])"
const thread = new Worker(stuck, { eval: true })
thread.once('online', () => setTimeout(() => process.stdout.write('stuck\n'), 500))
const interrupt = interruptSignal(createTerminal(process.stderr))
let code = 0
try {
  await interrupt.race(new Promise(() => {}))
} catch {
  code = 1
} finally {
  await closeInTime(() => thread.terminate())
  interrupt.release()
}
endProcess(code)
