import { parentPort } from 'node:worker_threads'
import { errorToData } from '@skyscript/core'
import type { Answer, Call } from './thread.ts'

/** A method of a thread; buffers in `transfer` are moved to the caller. */
export type Method = (value: never) => Promise<{ readonly value: unknown; readonly transfer?: readonly ArrayBuffer[] }>

/** Answers calls to this thread, one at a time, in order. */
export function serveThread(methods: Readonly<Record<string, Method>>): void {
  const port = parentPort
  if (port === null) throw new Error('This module runs in a thread; see startThread.')
  let last: Promise<void> = Promise.resolve()
  port.on('message', (call: Call) => {
    last = last.then(async () => {
      try {
        const { value, transfer } = await methods[call.method]!(call.value as never)
        port.postMessage({ call: call.call, value } satisfies Answer, [...(transfer ?? [])])
      } catch (error) {
        port.postMessage({ call: call.call, error: errorToData(error) } satisfies Answer)
      }
    })
  })
}
