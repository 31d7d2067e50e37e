import { type Device, InputError, redact, type Terminal } from '@skyscript/core'
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

/**
 * The models of a comparison by the names that the user gave them: a folder or hub id, or `<model>@<url>` for one on a server.
 *
 * @throws InputError for a name that is there twice
 */
export function comparedModels(
  names: readonly string[],
  options: Omit<ModelOptions, 'model' | 'server'>,
): Map<string, ReturnType<typeof modelsWith>> {
  const models = new Map<string, ReturnType<typeof modelsWith>>()
  for (const name of names) {
    const [, model = name, server] = /^(.+?)@(https?:\/\/\S+)$/.exec(name) ?? []
    const label = server === undefined ? name : `${model}@${redact(server)}`
    if (models.has(label)) throw new InputError('usage', `--compare names ${label} twice; remove one of them.`)
    models.set(label, modelsWith({ ...options, model, server }))
  }
  return models
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
