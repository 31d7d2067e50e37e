import { createHash } from 'node:crypto'
import type { Storage } from '@skyscript/core'

/** A dataset file that is being written; it appears in storage once it is complete. */
export interface Output {
  readonly path: string
  /** sha256 of the whole file, lower-case hex; available after the end. */
  readonly sha256: string
  /** Waits if storage can't keep up. */
  write(piece: Uint8Array): Promise<void>
  /** Ends the file and waits until it is stored. */
  end(): Promise<void>
  /** Discards the file. */
  abort(reason: unknown): Promise<void>
}

export function openOutput(storage: Storage, path: string): Output {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const digest = createHash('sha256')
  let sha256 = ''
  const stored = storage.put(path, readable)
  // An error in storage must reject the next write, which would otherwise wait for ever.
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
      // Not awaited: one piece is stored while the next is made; a failure surfaces at the next `ready`.
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
