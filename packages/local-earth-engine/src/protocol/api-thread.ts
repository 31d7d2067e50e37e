import { parentPort, workerData } from 'node:worker_threads'
import { errorToData } from '@skyscript/core'
import { loadGround, shareGround } from '../draw/shared-ground.ts'
import { type ApiCall, createApi } from './api.ts'
import { ApiError } from './api-error.ts'
import type { FromApiThread, ThreadData } from './api-threads.ts'

/** One thread of `startApi`: answers one call at a time. */
const port = parentPort!
const tell = (message: FromApiThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

try {
  const { options, features, ground: made } = workerData as ThreadData
  const ground = made ?? (await loadGround(features))
  shareGround(ground)
  const api = createApi(options, ground.features)
  port.on('message', (call: ApiCall) => {
    try {
      const { contentType, body, pixels } = api.answer(call)
      // A small buffer is part of a larger one, which can't be given away.
      const owns = body.buffer.byteLength === body.length
      const bytes = owns ? new Uint8Array(body.buffer as ArrayBuffer) : new Uint8Array(body)
      tell({ type: 'answer', contentType, bytes, pixels }, [bytes.buffer])
    } catch (error) {
      if (error instanceof ApiError) {
        tell({ type: 'refused', code: error.code, message: error.message, headers: error.headers })
      } else tell({ type: 'failed', error: errorToData(error) })
    }
  })
  tell({ type: 'ready', ground })
} catch (error) {
  tell({ type: 'failed', error: errorToData(error) })
  port.close()
}
