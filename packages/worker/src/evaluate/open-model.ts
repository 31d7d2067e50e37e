import type { Device, Terminal } from '@skyscript/core'
import { openDualEncoder } from '@skyscript/filter'
import { modelOptions } from '@skyscript/pipeline/files'
import { downloadProgress } from '../terminal/open-terminal.ts'
import type { EmbeddingStore } from './embed-images.ts'
import type { OpenModel } from './measure.ts'

export interface ModelOptions {
  readonly model: string
  readonly device: Device
  readonly batch: number | undefined
  readonly server: string | undefined
  readonly vision: string
  readonly text: string
  readonly terminal: Terminal
}

/** Returns what opens a model, lets it be used, and closes it. */
export const modelsWith =
  ({ model, device, batch, server, vision, text, terminal }: ModelOptions) =>
  async <T>(use: (model: OpenModel) => Promise<T>): Promise<T> => {
    const encoder = await openDualEncoder({
      ...modelOptions(model, { progress: downloadProgress(terminal) }),
      name: 'evaluate',
      device,
      batch: batch ?? null,
      server: server === undefined ? null : { url: server, vision, text },
    })
    try {
      return await use({ encoder, store: NO_STORE, terminal })
    } finally {
      await encoder.close()
    }
  }

const NO_STORE: EmbeddingStore = { get: async () => undefined, add: async () => {} }
