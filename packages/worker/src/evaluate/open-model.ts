import { type Device, InputError, redact, type Terminal } from '@skyscript/core'
import { checkScorer, openDualEncoder } from '@skyscript/filter'
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

/** A model of a comparison. */
export interface ComparedOpener {
  /** Finds out whether it can be opened, without downloading it. */
  check(): Promise<unknown>
  readonly withModel: ReturnType<typeof modelsWith>
}

/**
 * The models of a comparison by the names that the user gave them: a folder or hub id, or `<model>@<url>` for one on a server.
 *
 * @throws InputError for a name that is there twice
 */
export function comparedModels(
  names: readonly string[],
  options: Omit<ModelOptions, 'model' | 'server'>,
): Map<string, ComparedOpener> {
  const models = new Map<string, ComparedOpener>()
  for (const name of names) {
    const [, model = name, server] = /^(.+?)@(https?:\/\/\S+)$/.exec(name) ?? []
    const label = server === undefined ? name : `${model}@${redact(server)}`
    if (models.has(label)) throw new InputError('usage', `--compare names ${label} twice; remove one of them.`)
    const named = { ...options, model, server }
    models.set(label, { check: () => checkScorer(encoderOptions(named)), withModel: modelsWith(named) })
  }
  return models
}

const encoderOptions = ({ model, device, batch, server, vision, text, terminal }: ModelOptions) => ({
  ...modelOptions(model, { progress: downloadProgress(terminal) }),
  name: 'evaluate',
  device,
  batch: batch ?? null,
  server: server === undefined ? null : { url: server, vision, text },
})

/** Returns what opens a model, lets it be used, and closes it. */
export const modelsWith =
  (given: ModelOptions) =>
  async <T>(use: (model: OpenModel) => Promise<T>): Promise<T> => {
    const { cache, terminal } = given
    const options = encoderOptions(given)
    const encoder = await openDualEncoder(options)
    try {
      // The fingerprint of a model on a server doesn't cover its weights.
      const isKept = cache && options.server === null
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
