import { basename } from 'node:path'
import { type Config, isPath, mapFilterPlaces, mapPlaces, type PlaceChange, redact } from '@skyscript/core'
import { lockedEndpoint } from './origins.ts'
import { decidingImagery, decidingSources, type Run } from './run.ts'

const file = (path: string) => redact(basename(path.split('?')[0]!))

/** Files by name, without their folders; catalogues without their logins. */
const byName: PlaceChange = (text, kind) =>
  kind === 'catalogue' ? redact(text) : kind === 'file-or-name' && !isPath(text) ? text : file(text)

export type LockedConfig = ReturnType<typeof lockedConfig>

/**
 * The settings as the lock file records them: everything that decides the dataset, with files by name (their hashes are
 * recorded too), and without where it ran: folders, queue, credentials.
 */
export function lockedConfig(config: Run['config']) {
  const { name, osm: map, imagery, selection, tiles, captions, seed } = mapPlaces(config, byName)
  // The lock's `inputs` say which changes were applied to each extract.
  const { changes: _changes, ...osm } = map
  const choice = decidingImagery(imagery)
  return {
    ...{ name, osm },
    imagery: {
      ...choice,
      sources: decidingSources(choice.sources),
      earthEngine: { endpoint: lockedEndpoint(config.imagery.earthEngine) },
    },
    ...{ selection, tiles, captions },
    filter: lockedFilter(config.filter),
    seed,
  }
}

/** The part of `lockedConfig` that a cut may change. */
export function lockedFilter(filter: Config['filter']) {
  const named = mapFilterPlaces(filter, byName)
  return {
    ...named,
    scorers: named.scorers.map(({ name, model, device, server }) => ({
      ...{ name, model, device },
      server: server && { vision: server.vision, text: server.text },
    })),
  }
}
