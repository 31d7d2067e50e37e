import { basename } from 'node:path'
import { type Config, redact } from '@skyscript/core'
import { lockedEndpoint } from './origins.ts'
import type { Run } from './run.ts'

const file = (path: string) => redact(basename(path.split('?')[0]!))
const optional = (path: string | null) => (path === null ? null : file(path))
const fileOrName = (text: string) => (/^[./]/.test(text) ? file(text) : text)

export type LockedConfig = ReturnType<typeof lockedConfig>

/**
 * The settings as the lock file records them: everything that decides the dataset, with files by name (their hashes are
 * recorded too), and without where it ran: folders, queue, credentials.
 */
export function lockedConfig(config: Run['config']) {
  const { name, osm, imagery, selection, tiles, captions, filter, seed } = config
  const { patience: _patience, ...choice } = imagery
  return {
    name,
    osm: {
      source: typeof osm.source === 'string' ? file(osm.source) : osm.source.map(file),
      clip: typeof osm.clip === 'string' ? file(osm.clip) : osm.clip,
    },
    imagery: {
      ...choice,
      sources: imagery.sources.map((source) =>
        typeof source === 'string' || source.kind !== 'cog'
          ? source
          : { ...source, stac: source.stac && redact(source.stac), files: source.files.map(file) },
      ),
      earthEngine: { endpoint: lockedEndpoint(imagery.earthEngine) },
    },
    selection,
    tiles,
    captions: {
      ...captions,
      tags: optional(captions.tags),
      rules: optional(captions.rules),
      classifier: captions.classifier && {
        weights: file(captions.classifier.weights),
        model: fileOrName(captions.classifier.model),
      },
      templates: captions.templates.map(fileOrName),
    },
    filter: lockedFilter(filter),
    seed,
  }
}

/** The part of `lockedConfig` that a cut may change. */
export const lockedFilter = (filter: Config['filter']) => ({
  ...filter,
  scorers: filter.scorers.map((scorer) => ({
    name: scorer.name,
    model: fileOrName(scorer.model),
    device: scorer.device,
    server: scorer.server && { vision: scorer.server.vision, text: scorer.server.text },
  })),
  exclude: optional(filter.exclude),
})
