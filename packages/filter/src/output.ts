import { createHash } from 'node:crypto'
import type { Storage } from '@skyscript/core'

/** A file of the dataset while it is written; it appears in storage when it is whole. */
export interface Output {
  readonly path: string
  /** Of the whole file, in lower-case hex; only after its end. */
  readonly sha256: string
  /** Waits while storage is behind. */
  write(piece: Uint8Array): Promise<void>
  /** Ends the file and waits until it is stored. */
  end(): Promise<void>
  /** Gives the file up: nothing of it stays. */
  abort(reason: unknown): Promise<void>
}

export function openOutput(storage: Storage, path: string): Output {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const digest = createHash('sha256')
  let sha256 = ''
  const stored = storage.put(path, readable)
  // What goes wrong in storage ends the next write, which else would wait for ever.
  stored.catch((error: unknown) => writer.abort(error).catch(() => undefined))
  writer.closed.catch(() => undefined)
  return {
    path,
    get sha256() {
      return sha256
    },
    async write(piece) {
      await writer.ready
      digest.update(piece)
      // Not awaited: one piece is on its way while the next is made; its failure shows at the next `ready`.
      writer.write(piece).catch(() => undefined)
    },
    async end() {
      await Promise.all([writer.close(), stored])
      sha256 = digest.digest('hex')
    },
    async abort(reason) {
      await Promise.allSettled([writer.abort(reason), stored])
    },
  }
}
