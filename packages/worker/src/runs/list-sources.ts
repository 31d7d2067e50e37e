import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Config, isUrl, type Position } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { createOutages, type Layer } from '@skyscript/gee-fetch'
import { checkSources, type SourceCheck, type SourceHere, sourcesAt, sourcesOfRegion } from '@skyscript/pipeline'
import { buildClaim } from '@skyscript/pipeline/ownership'
import { machineLimits } from '../limits/shared-limits.ts'
import { readRegion } from '../region.ts'
import { openStorage } from '../storages/storages.ts'
import { openTerminal } from '../terminal/open-terminal.ts'
import { interruptible, takeOutput } from './interruptible.ts'

/** What covers a place. */
export interface ListedSources {
  readonly place: string | Position
  /** Visible objects; null of a position. */
  readonly objects: number | null
  readonly sources: readonly SourceHere[]
  /** Of the user's catalogue, by id. */
  readonly layers: readonly Layer[]
  /** By alias; null if none was asked. */
  readonly checks: ReadonlyMap<string, SourceCheck> | null
}

/** @param place a region file, an OSM PBF file, or a position */
export async function listSources(place: string | Position, isChecked: boolean): Promise<ListedSources> {
  return interruptible(openTerminal(), 'start over', async (run) => {
    const { terminal, signal, opened } = run
    const limits = machineLimits()
    opened.defer(() => limits.close())
    const shared = { ...limits.options, outages: createOutages(({ text }) => terminal.note(text)) }
    const listIn = async (config: Config) => {
      const storage = await openStorage(config.output)
      const lease = await takeOutput(storage, buildClaim('plan', config), run)
      const either = AbortSignal.any([signal, lease.signal])
      return sourcesOfRegion({ config, storage, openStorage, terminal, signal: either, ...shared })
    }
    const checksOf = async (found: Pick<ListedSources, 'objects' | 'sources' | 'layers'>, config: Config) => ({
      ...{ place, ...found },
      checks: isChecked ? await checkSources(found.sources, config, shared, signal) : null,
    })
    if (typeof place !== 'string') {
      const config = settingsOf('.', '.')
      return checksOf({ objects: null, sources: sourcesAt(config.imagery, place), layers: [] }, config)
    }
    if (!place.endsWith('.pbf')) {
      const config = await readRegion(place)
      return checksOf(await listIn(config), config)
    }
    const folder = await mkdtemp(join(tmpdir(), 'skyscript-sources-'))
    opened.defer(() => rm(folder, { recursive: true, force: true }))
    const config = settingsOf(isUrl(place) ? place : resolve(place), folder)
    return checksOf(await listIn(config), config)
  })
}

/** The settings of a region of which nothing else is said. */
const settingsOf = (source: string, output: string): Config =>
  parseConfig(JSON.stringify({ osm: { source }, output }), 'region.yaml')
