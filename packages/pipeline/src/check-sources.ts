import { type Config, InputError, messageOf, once, ServiceError } from '@skyscript/core'
import {
  completeSources,
  createEarthEngine,
  createImagery,
  createOamImagery,
  createTileImagery,
  sampleOf,
  sourcesOf,
} from '@skyscript/gee-fetch'
import pMap from 'p-map'
import { openCog, webOptions } from './context.ts'
import type { ContextOptions } from './models.ts'
import type { SourceHere } from './sources-here.ts'

/** Sources that are asked at a time. */
const AT_ONCE = 8

/** A person waits: fewer attempts than those of a build, and shorter ones. */
const IMPATIENT = { attempts: 2, deadlineMs: 15_000 }

/** Whether a source sent an image, and in one sentence what came or why nothing did. */
export interface SourceCheck {
  readonly ok: boolean
  readonly said: string
}

/** Asks each source for one small image; nobody waits for services that are away. */
export async function checkSources(
  sources: readonly SourceHere[],
  config: Config,
  { limiter }: Pick<ContextOptions, 'limiter'>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, SourceCheck>> {
  const options = limiter ? { limiter } : {}
  const { earthEngine: settings, maxCloud } = config.imagery
  await using clients = new AsyncDisposableStack()
  const hosts = { ...webOptions(config, options), ...IMPATIENT }
  const earthEngine = once(async () => {
    const client = createEarthEngine(settings)
    clients.defer(() => client.close())
    await client.check()
    return client
  })
  const cog = once(async () => {
    const client = await openCog(config, options, IMPATIENT)
    clients.defer(() => client.close())
    return client
  })
  const tiles = once(async () => {
    const client = createTileImagery(hosts)
    clients.defer(() => client.close())
    return client
  })
  const oam = once(async () => {
    const client = createOamImagery(hosts)
    clients.defer(() => client.close())
    return client
  })
  const imagery = createImagery({ earthEngine, cog, tiles, oam }, { maxCloud, earthEngineOrigin: () => '' })
  const ask = async ({ setting, source, lacks, at }: SourceHere): Promise<SourceCheck> => {
    if (lacks !== null) return { ok: false, said: `not asked: ${lacks}` }
    if (source.kind === 'earth-engine' && settings.endpoint === 'local')
      return { ok: true, said: 'drawn from the extract' }
    try {
      const [whole] = sourcesOf(await completeSources([setting], hosts))
      const came = await sampleOf(whole!, at, imagery, tiles, signal)
      const place = at.map((degrees) => degrees.toFixed(4)).join(', ')
      return came === null ? { ok: false, said: `no image at ${place}` } : { ok: true, said: came }
    } catch (error) {
      if (signal.aborted || !(error instanceof ServiceError || error instanceof InputError)) throw error
      return { ok: false, said: messageOf(error) }
    }
  }
  const answers = await pMap(sources, async (each) => [each.source.alias, await ask(each)] as const, {
    concurrency: AT_ONCE,
  })
  return new Map(answers)
}
