import { parentPort, workerData } from 'node:worker_threads'
import { errorToData } from '@skyscript/core'
import { type ApiOptions, createApi } from './api.ts'
import { ApiError } from './api-error.ts'
import type { FromApiThread, ToApiThread } from './api-threads.ts'

/** One thread of `startApi`: answers a call at a time. */
const port = parentPort!
const tell = (message: FromApiThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

try {
  const api = await createApi(workerData as ApiOptions)
  port.on('message', (call: ToApiThread) => {
    try {
      const { contentType, body, pixels } = api.answer(call)
      // Small buffers share one memory, which can't be given away.
      const owns = body.buffer.byteLength === body.length
      const bytes = owns ? new Uint8Array(body.buffer as ArrayBuffer) : new Uint8Array(body)
      tell({ type: 'answer', contentType, bytes, pixels }, [bytes.buffer])
    } catch (error) {
      if (error instanceof ApiError) {
        tell({ type: 'refused', code: error.code, message: error.message, headers: error.headers })
      } else tell({ type: 'failed', error: errorToData(error) })
    }
  })
  tell({ type: 'ready' })
} catch (error) {
  tell({ type: 'failed', error: errorToData(error) })
  port.close()
}
