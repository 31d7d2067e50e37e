import type { Device, Terminal } from '@skyscript/core'
import { openDualEncoder } from '@skyscript/filter'
import { modelOptions } from '@skyscript/pipeline/files'
import { downloadProgress } from '../terminal/open-terminal.ts'
import { memoryStore, openEmbeddingCache } from './embedding-cache.ts'
import type { OpenModel } from './measure.ts'

export interface ModelOptions {
  readonly model: string
  readonly device: Device
  readonly batch: number | undefined
  readonly server: string | undefined
  readonly vision: string
  readonly text: string
  /** Whether embeddings are kept for later runs. */
  readonly cache: boolean
  readonly terminal: Terminal
}

/** Returns what opens a model, lets it be used, and closes it. */
export const modelsWith =
  ({ model, device, batch, server, vision, text, cache, terminal }: ModelOptions) =>
  async <T>(use: (model: OpenModel) => Promise<T>): Promise<T> => {
    const options = modelOptions(model, { progress: downloadProgress(terminal) })
    const encoder = await openDualEncoder({
      ...options,
      name: 'evaluate',
      device,
      batch: batch ?? null,
      server: server === undefined ? null : { url: server, vision, text },
    })
    try {
      // The fingerprint of a model on a server doesn't cover its weights.
      const isKept = cache && server === undefined
      const store = isKept
        ? await openEmbeddingCache(options.cacheFolder, encoder.fingerprint, terminal)
        : memoryStore()
      try {
        return await use({ encoder, store, terminal })
      } finally {
        await store.flush()
      }
    } finally {
      await encoder.close()
    }
  }
