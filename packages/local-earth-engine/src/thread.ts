import { parentPort, workerData } from 'node:worker_threads'
import { messageOf, SkyscriptError } from '@skyscript/core'
import type { LocalEarthEngineOptions } from './options.ts'
import { serveEarthEngine } from './server.ts'
import type { FromThread, ToThread } from './start.ts'

/** The thread of `startLocalEarthEngine`: serves until told to close. */
const port = parentPort!
const tell = (message: FromThread) => port.postMessage(message)

try {
  const server = await serveEarthEngine({
    ...(workerData as LocalEarthEngineOptions),
    onError: (error) =>
      tell({ type: 'bug', text: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  })
  tell({ type: 'listening', url: server.url })
  port.on('message', (message: ToThread) => {
    if (message.type === 'stats') tell({ type: 'stats', number: message.number, stats: server.stats() })
    else
      void server.close().then(() => {
        tell({ type: 'closed' })
        port.close()
      })
  })
} catch (error) {
  tell({
    type: 'failed',
    code: error instanceof SkyscriptError ? error.code : 'local-earth-engine',
    message: messageOf(error),
  })
  port.close()
}
