import { serveThread } from '@skyscript/core'
import { loadGround, shareGround } from '../draw/shared-ground.ts'
import { type Api, type ApiCall, createApi } from './api.ts'
import { apiErrorCodec } from './api-error.ts'
import type { MovedAnswer, OpenApi } from './api-threads.ts'

let api: Api | null = null

/** One thread of `startApi`. */
serveThread(
  {
    async open({ options, features, canopies, ground: made }: OpenApi) {
      const ground = made ?? (await loadGround(features, canopies))
      shareGround(ground)
      api = createApi(options, ground.features)
      return { value: ground }
    },
    answer(call: ApiCall) {
      const { body, ...answer } = api!.answer(call)
      // A small buffer is part of a larger one, which can't be given away.
      const owns = body.buffer.byteLength === body.length
      const bytes = owns ? new Uint8Array(body.buffer as ArrayBuffer) : new Uint8Array(body)
      return { value: { ...answer, bytes } satisfies MovedAnswer, transfer: [bytes.buffer] }
    },
    close() {
      api = null
      return { value: null }
    },
  },
  apiErrorCodec,
)
