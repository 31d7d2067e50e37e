import { once as waitFor } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { Captioner } from '@skyscript/captioner'
import {
  breather,
  type Config,
  EARTH_ENGINE_PER_SECOND,
  FILE_REQUESTS,
  getJson,
  once,
  ServiceError,
  type Storage,
} from '@skyscript/core'
import type { ScorerOptions, Scoring } from '@skyscript/filter'
import {
  type CogImagery,
  type CogImageryOptions,
  createCogImagery,
  createEarthEngine,
  createImagery,
  createOamImagery,
  createTileImagery,
  type EarthEngine,
  type EecuLedger,
  type FileCache,
  type HostOptions,
  type Imagery,
  openFileCache,
  type Source,
  sourcesOf,
  type TileImagery,
} from '@skyscript/gee-fetch'
import { LRUCache } from 'lru-cache'
import { openCaptioner } from './captioner.ts'
import { fileLedger } from './eecu-ledger.ts'
import { type ContextOptions, defaultModelCache, modelOptions } from './models.ts'
import { earthEngineOrigins, isGoogle } from './origins.ts'
import { fillIn, withSecrets } from './private-addresses.ts'
import { type ExtractIndex, extractIndexKey, type Run } from './run.ts'
import { runKey } from './runner/runner.ts'
import { type IndexedTile, indexTile, openTiles, type TileReader } from './tiles.ts'

/** Objects of this many map tiles are kept at hand: an image with those around it touches at most four or so. */
const TILES_IN_MEMORY = 12

/**
 * The clients that jobs of one run share in this process. Each is opened at first use and closed with the context;
 * what can't be opened is tried again by the next job.
 */
export interface RunContext {
  readonly storage: Storage
  readonly run: Run
  readonly captioner: Captioner
  /** Of the run's settings, in their order. */
  readonly sources: readonly Source[]
  readonly imagery: Imagery
  readonly now: () => Date
  earthEngine(): Promise<EarthEngine>
  /** All scorers of the settings. */
  scoring(): Promise<Scoring>
  /** Opens the scorers and closes them again. */
  checkScorers(): Promise<void>
  /** Objects that touch a map tile; none where the extract has no such tile. */
  tile(tile: string): Promise<IndexedTile>
  /** See `TileReader`. */
  homeOutlines: TileReader['homeOutlines']
  homeEdits: TileReader['homeEdits']
  extractIndex(): Promise<ExtractIndex>
  close(): Promise<void>
}

export async function loadRun(storage: Storage, run: string): Promise<Run> {
  const stored = await getJson<Run>(storage, runKey(run))
  if (stored === null) {
    throw new ServiceError('missing-run', `The run's settings are gone from ${storage.url}; start the build again.`, {
      retry: false,
    })
  }
  return stored
}

/** @param captioner the run's own, where it is open already */
export async function openContext(
  storage: Storage,
  run: Run,
  options: ContextOptions = {},
  captioner?: Captioner,
): Promise<RunContext> {
  const config = withSecrets(run.config, options.privateAddresses)
  const opened = captioner ?? (await openCaptioner(config, run.tables, options))
  const closers: (() => Promise<void>)[] = []
  const tiles = new LRUCache<string, Promise<IndexedTile>>({ max: TILES_IN_MEMORY })
  const extractIndex = once(async () => {
    const index = await getJson<ExtractIndex>(storage, extractIndexKey(run.extract))
    if (index === null)
      throw new ServiceError('missing-extract', `The extract is gone from ${storage.url}; start the build again.`, {
        retry: false,
      })
    return index
  })

  const reader = once(async () => openTiles(storage, run.extract, await extractIndex()))

  const earthEngine = once(async () => {
    const map = { captioner: opened, reader, tiles: async () => Object.keys((await extractIndex()).tiles) }
    return openEarthEngine(run, map, options, closers)
  })
  // Which images there are is told without what is drawn on them: planning need not wait for the whole map.
  const isDrawn = config.imagery.earthEngine.endpoint === 'local'
  const catalogue = isDrawn ? once(() => openEarthEngine(run, null, options, closers)) : earthEngine

  const originOf = once(async () => earthEngineOrigins(config.imagery.earthEngine, (await extractIndex()).tiles))

  const cog = once(async () => {
    const client = await openCog(config, options)
    closers.push(() => client.close())
    return client
  })
  const webTiles = once(async () => {
    const client = openTileImagery(config, options)
    closers.push(() => client.close())
    return client
  })

  const oam = once(async () => {
    const client = createOamImagery(webOptions(config, options))
    closers.push(() => client.close())
    return client
  })

  // Loaded here, so that a process that scores nothing starts sooner.
  const openScorers = async () => {
    const { openScoring } = await import('@skyscript/filter')
    return openScoring(scorerOptions(config, options))
  }

  return {
    storage,
    run,
    captioner: opened,
    extractIndex,
    sources: sourcesOf(config.imagery.sources),
    imagery: createImagery(
      { earthEngine, catalogue, cog, tiles: webTiles, oam },
      {
        maxCloud: config.imagery.maxCloud,
        earthEngineOrigin: async (box) => (await originOf())(box),
      },
    ),
    now: options.now ?? (() => new Date()),
    earthEngine,
    scoring: once(async () => {
      const scoring = await openScorers()
      closers.push(() => scoring.close())
      return scoring
    }),
    async checkScorers() {
      const scoring = await openScorers()
      await scoring.close()
    },
    tile(tile) {
      const known = tiles.get(tile)
      if (known) return known
      const reading = reader().then(async ({ touching }) =>
        indexTile(await touching(tile), ({ tags }) => opened.namedTo(tags)),
      )
      reading.catch(() => tiles.delete(tile))
      tiles.set(tile, reading)
      return reading
    },
    async *homeOutlines(tile, isWanted) {
      yield* (await reader()).homeOutlines(tile, isWanted)
    },
    homeEdits: async (tile, ids) => (await reader()).homeEdits(tile, ids),
    async close() {
      for (const close of closers.splice(0).reverse()) await close()
    },
  }
}

export async function openCog(
  { imagery }: Pick<Config, 'imagery'>,
  options: ContextOptions,
  asked: Pick<CogImageryOptions, 'attempts' | 'deadlineMs'> = {},
): Promise<CogImagery> {
  const { concurrent, perSecond } = FILE_REQUESTS
  const limiter = await options.limiter?.('FILES', concurrent, perSecond)
  return createCogImagery({
    maxConcurrent: concurrent,
    maxCloud: imagery.maxCloud,
    limiter,
    ...asked,
    contact: imagery.contact,
    ...patienceOf({ imagery }, options),
  })
}

export const openTileImagery = ({ imagery }: Pick<Config, 'imagery'>, options: ContextOptions): TileImagery =>
  createTileImagery(webOptions({ imagery }, options))

/** How web services are asked: their hosts' limits are shared by all workers. */
export const webOptions = ({ imagery }: Pick<Config, 'imagery'>, options: ContextOptions): HostOptions => ({
  fillIn,
  limiter: async (host, { concurrent, perSecond }) => options.limiter?.(host, concurrent, perSecond),
  contact: imagery.contact,
  cache: cacheOf(imagery.cache, options),
  ...patienceOf({ imagery }, options),
})

/** One for each folder, so that this process looks through it no more often than needed. */
const caches = new Map<string, FileCache>()

function cacheOf(
  { folder, megabytes }: Config['imagery']['cache'],
  { modelCache = defaultModelCache() }: ContextOptions,
): FileCache | undefined {
  if (megabytes === 0) return undefined
  const place = folder ?? join(modelCache, 'tiles')
  const name = `${place}\n${megabytes}`
  const known = caches.get(name) ?? openFileCache({ folder: place, mostBytes: megabytes * 1e6 })
  caches.set(name, known)
  return known
}

export const scorerOptions = ({ filter }: Pick<Config, 'filter'>, options: ContextOptions): ScorerOptions[] =>
  filter.scorers.map((scorer) => ({ ...scorer, ...modelOptions(scorer.model, options) }))

/** What imagery is drawn from. */
interface DrawnMap {
  readonly captioner: Captioner
  reader(): Promise<TileReader>
  tiles(): Promise<readonly string[]>
}

/** @param map null: only the catalogue is asked */
async function openEarthEngine(
  run: Run,
  map: DrawnMap | null,
  options: ContextOptions,
  closers: (() => Promise<void>)[],
): Promise<EarthEngine> {
  const { endpoint, project, credentials, maxConcurrent, maxEecuHours } = run.config.imagery.earthEngine
  let url = endpoint
  if (endpoint === 'local') {
    const features: string[] = []
    if (map !== null) {
      const folder = await mkdtemp(join(tmpdir(), 'skyscript-local-imagery-'))
      closers.push(() => rm(folder, { recursive: true, force: true }))
      features.push(join(folder, 'features.geojsonl'))
      await writeFeatures(features[0]!, map)
    }
    // Loaded here, since builds with real Earth Engine never need it.
    const { startLocalEarthEngine } = await import('@skyscript/local-earth-engine')
    const server = await startLocalEarthEngine({ features, ...(map === null && { threads: 1 }) })
    closers.push(() => server.close())
    url = server.url
  }
  // The local server of this process has a limit of its own; only a real project's quota is shared with others.
  const shared =
    endpoint === 'local'
      ? undefined
      : await options.limiter?.(limitName(endpoint, project), maxConcurrent, EARTH_ENGINE_PER_SECOND)
  const client = createEarthEngine({
    endpoint: url,
    project,
    credentials,
    maxConcurrent,
    ...(endpoint === 'local' && { proxies: 'none' }),
    ...(shared && { limiter: shared }),
    ...patienceOf(run.config, options),
    // Drawn imagery costs nobody anything.
    ...(endpoint !== 'local' &&
      maxEecuHours !== null && {
        eecu: { ledger: ledgerOf(project, options), maxSeconds: maxEecuHours * 3600 },
      }),
  })
  closers.push(async () => client.close())
  await client.check()
  return client
}

/** How long services that are away are waited for. */
const patienceOf = ({ imagery }: Pick<Config, 'imagery'>, { outages }: ContextOptions) =>
  outages === undefined ? {} : { outages, patienceMs: imagery.patience * 60_000 }

/** What shares one limit: a project, whichever of Google's two endpoints it uses. Elsewhere a name may mean another project. */
export function limitName(endpoint: string, project: string | null): string {
  const name = project ?? 'none'
  return isGoogle(new URL(endpoint).host) ? name : `${new URL(endpoint).host}/${name}`
}

/** What was used of a project's month, here or by all workers of a queue. */
export function ledgerOf(project: string | null, { ledger, modelCache }: ContextOptions): EecuLedger {
  const name = project ?? 'none'
  return ledger?.(name) ?? fileLedger(modelCache ?? defaultModelCache(), name, () => new Date())
}

/** What can be seen of an extract, to be drawn. */
async function writeFeatures(path: string, { captioner, reader, tiles }: DrawnMap): Promise<void> {
  const file = createWriteStream(path)
  const { homeOutlines } = await reader()
  const breathe = breather()
  for (const tile of await tiles()) {
    for await (const outlines of homeOutlines(tile)) {
      for (const outline of outlines) {
        await breathe()
        if (captioner.isVisible(outline.tags) && !file.write(outline.line())) await waitFor(file, 'drain')
      }
    }
  }
  file.end()
  await finished(file)
}
