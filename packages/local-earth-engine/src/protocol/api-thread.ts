import { parentPort } from 'node:worker_threads'
import { errorToData } from '@skyscript/core'
import { loadGround, shareGround } from '../draw/shared-ground.ts'
import { type Api, type ApiCall, createApi } from './api.ts'
import { ApiError } from './api-error.ts'
import type { FromApiThread, OpenMessage, ToApiThread } from './api-threads.ts'

/** One thread of `startApi`: answers one call at a time. */
const port = parentPort!
const tell = (message: FromApiThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

let api: Api | null = null

port.on('message', (message: ToApiThread) => {
  if (message.type === 'open') void open(message)
  else if (message.type === 'answer') answer(message.call)
  else api = null
})

async function open({ options, features, canopies, ground: made }: OpenMessage): Promise<void> {
  try {
    const ground = made ?? (await loadGround(features, canopies))
    shareGround(ground)
    api = createApi(options, ground.features)
    tell({ type: 'ready', ground })
  } catch (error) {
    tell({ type: 'failed', error: errorToData(error) })
  }
}

function answer(call: ApiCall): void {
  try {
    const { contentType, body, pixels } = api!.answer(call)
    // A small buffer is part of a larger one, which can't be given away.
    const owns = body.buffer.byteLength === body.length
    const bytes = owns ? new Uint8Array(body.buffer as ArrayBuffer) : new Uint8Array(body)
    tell({ type: 'answer', contentType, bytes, pixels }, [bytes.buffer])
  } catch (error) {
    if (error instanceof ApiError) {
      tell({ type: 'refused', code: error.code, message: error.message, headers: error.headers })
    } else tell({ type: 'failed', error: errorToData(error) })
  }
}
