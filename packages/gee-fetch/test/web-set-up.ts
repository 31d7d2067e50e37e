import type { SourceSettings } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { afterEach } from 'vitest'
import { completeSources, createTileImagery, type HostOptions, sourcesOf, type TileSource } from '../src/index.ts'
import { type Service, startService } from './service.ts'

/** A source as a region file describes it: by default a town's, which allows many requests. */
export function described(settings: Record<string, unknown>): SourceSettings {
  const source = { alias: 'TOWN', licence: 'CC0', requests: { concurrent: 8, perSecond: 1000 }, ...settings }
  const region = { output: '/tmp/out', osm: { source: 'x.osm.pbf' }, imagery: { sources: [source] } }
  return parseConfig(JSON.stringify(region), '/tmp/region.yaml').imagery.sources[0] as SourceSettings
}

/** What tests of web services open, and close after each test. */
export function useWeb({ fillIn = (address) => address }: Partial<Pick<HostOptions, 'fillIn'>> = {}) {
  const closers: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close()
  })
  /** Settings with what the service says. */
  const completed = async (settings: Record<string, unknown>) =>
    (await completeSources([described(settings)], { fillIn }))[0]!
  return {
    closers,
    completed,
    sourceFor: async (settings: Record<string, unknown>) => sourcesOf([await completed(settings)])[0] as TileSource,
    client() {
      const tiles = createTileImagery({ fillIn })
      closers.push(() => tiles.close())
      return tiles
    },
    async serve(answer: Parameters<typeof startService>[0]): Promise<Service> {
      const service = await startService(answer)
      closers.push(() => service.close())
      return service
    },
  }
}
