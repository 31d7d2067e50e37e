import { Worker } from 'node:worker_threads'
import { InputError } from '@skyscript/core'
import { parseFaults } from './faults.ts'
import type { LocalEarthEngineOptions, Stats } from './options.ts'

export type ToThread = { readonly type: 'stats'; readonly number: number } | { readonly type: 'close' }

export type FromThread =
  | { readonly type: 'listening'; readonly url: string }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'stats'; readonly number: number; readonly stats: Stats }
  | { readonly type: 'bug'; readonly text: string }
  | { readonly type: 'closed' }

export interface LocalEarthEngine {
  /** `http://127.0.0.1:8080`, without a path. */
  readonly url: string
  stats(): Promise<Stats>
  /** Ends the server and its connections; may be called twice. */
  close(): Promise<void>
}

/**
 * Starts a server in a thread of its own, so that drawing never holds up the caller.
 *
 * @throws InputError where features can't be read, the faults make no sense or the port is taken
 */
export async function startLocalEarthEngine(
  options: Omit<LocalEarthEngineOptions, 'onError'>,
): Promise<LocalEarthEngine> {
  const faults = typeof options.faults === 'string' ? parseFaults(options.faults) : options.faults
  const worker = new Worker(new URL('./thread.ts', import.meta.url), {
    workerData: { ...options, ...(faults && { faults }) },
  })
  const waiting = new Map<number, (stats: Stats) => void>()
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let asked = 0
  let closing: Promise<void> | undefined

  const url = await new Promise<string>((resolve, reject) => {
    worker.once('error', reject)
    worker.on('message', (message: FromThread) => {
      if (message.type === 'listening') resolve(message.url)
      else if (message.type === 'failed') reject(new InputError(message.code, message.message))
      else if (message.type === 'bug') process.stderr.write(`local Earth Engine: ${message.text}\n`)
      else if (message.type === 'stats') {
        waiting.get(message.number)?.(message.stats)
        waiting.delete(message.number)
      }
    })
  })

  const post = (message: ToThread) => worker.postMessage(message)
  return {
    url,
    stats() {
      if (closing) throw new TypeError('The local Earth Engine is closed.')
      const number = asked++
      return new Promise((resolve) => {
        waiting.set(number, resolve)
        post({ type: 'stats', number })
      })
    },
    close() {
      closing ??= (async () => {
        post({ type: 'close' })
        await exited
      })()
      return closing
    },
  }
}
