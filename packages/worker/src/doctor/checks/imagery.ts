import { FILE_REQUESTS, formatCounted } from '@skyscript/core'
import type { CogSource, EarthEngineSource, OamSource, TileSource } from '@skyscript/gee-fetch'
import { type Check, type CheckContext, type Finding, finding } from '../check.ts'

/** Whether Earth Engine answers and accepts the credentials for the project, and whether each source is there. */
export const imagery: Check = {
  name: 'imagery',
  seconds: 60,
  async run({ config: given, signal }) {
    if (given === null) return []
    const config = await withLayers(given, signal)
    const { needsService, sourcesOf } = await import('@skyscript/gee-fetch')
    const named = config.imagery.sources.filter((source) => source !== 'auto')
    const sources = sourcesOf(named.filter((source) => !needsService(source)))
    const auto: Finding = {
      name: 'source:auto',
      status: 'ok',
      detail: 'chosen by a build when it has read the map; skyscript sources --check asks them',
    }
    return [
      ...(named.length < config.imagery.sources.length ? [auto] : []),
      ...(await ofEarthEngine(
        config.imagery,
        sources.filter((source) => source.kind === 'earth-engine'),
      )),
      ...(await ofFiles(sources.filter((source) => source.kind === 'cog'))),
      ...(await ofScenes(sources.filter((source) => source.kind === 'oam'))),
      ...(await ofWebServices(named.filter((source) => needsService(source) || isTiles(source)))),
    ]
  },
}

/** A catalogue of layers is read only where one is named. */
async function withLayers(config: NonNullable<CheckContext['config']>, signal: AbortSignal) {
  if (config.imagery.sources.every((source) => typeof source === 'string' || source.kind !== 'index')) return config
  const [pipeline, { fillIn }] = await Promise.all([import('@skyscript/pipeline'), import('@skyscript/pipeline/files')])
  return pipeline.withLayers(config, (catalogue) => pipeline.readCatalogue(catalogue, () => {}, { fillIn }, signal))
}

type Imagery = NonNullable<CheckContext['config']>['imagery']

async function ofEarthEngine(
  { earthEngine }: Imagery,
  sources: readonly EarthEngineSource[],
): Promise<readonly Finding[]> {
  if (sources.length === 0) return []
  const name = 'earth-engine'
  const { endpoint, project } = earthEngine
  if (endpoint === 'local') return [{ name, status: 'ok', detail: 'local: images are drawn from the extract itself' }]
  const { checkSource, createEarthEngine } = await import('@skyscript/gee-fetch')
  const client = createEarthEngine(earthEngine)
  try {
    const answers = await finding(name, async () => {
      await client.check()
      return `${endpoint} answers for project ${project ?? '(none)'}`
    })
    if (answers.status === 'fail') return [answers]
    const each = sources.map((source) =>
      finding(`source:${source.alias}`, async () => {
        await checkSource(client, source)
        return `${source.collection} is there`
      }),
    )
    return [answers, ...(await Promise.all(each))]
  } finally {
    await client.close()
  }
}

async function ofFiles(sources: readonly CogSource[]): Promise<readonly Finding[]> {
  if (sources.length === 0) return []
  const { createCogImagery } = await import('@skyscript/gee-fetch')
  const cog = createCogImagery({ maxConcurrent: FILE_REQUESTS.concurrent, maxCloud: 100 })
  try {
    return await Promise.all(
      sources.map((source) =>
        finding(`source:${source.alias}`, async () => {
          await cog.check(source)
          return source.stac === null
            ? `${formatCounted(source.files.length, 'file')} can be read`
            : `${source.stac} has ${source.collection}`
        }),
      ),
    )
  } finally {
    await cog.close()
  }
}

async function ofScenes(sources: readonly OamSource[]): Promise<readonly Finding[]> {
  if (sources.length === 0) return []
  const [{ createOamImagery }, { fillIn }] = await Promise.all([
    import('@skyscript/gee-fetch'),
    import('@skyscript/pipeline/files'),
  ])
  const oam = createOamImagery({ fillIn })
  try {
    return await Promise.all(
      sources.map((source) =>
        finding(`source:${source.alias}`, async () => {
          const scenes = await oam.check(source)
          return `${source.url} has ${scenes === null ? 'scenes' : formatCounted(scenes, 'scene')}`
        }),
      ),
    )
  } finally {
    await oam.close()
  }
}

type Described = Imagery['sources'][number]

const isTiles = (source: Described): boolean => typeof source !== 'string' && source.kind === 'xyz'

async function ofWebServices(described: readonly Described[]): Promise<readonly Finding[]> {
  if (described.length === 0) return []
  const [{ completeSources, createTileImagery, sourcesOf }, { fillIn }] = await Promise.all([
    import('@skyscript/gee-fetch'),
    import('@skyscript/pipeline/files'),
  ])
  const tiles = createTileImagery({ fillIn })
  try {
    return await Promise.all(
      described.map((each) =>
        finding(`source:${typeof each === 'string' ? each : each.alias}`, async () => {
          const [source] = sourcesOf(await completeSources([each], { fillIn })) as [TileSource]
          if ((await tiles.check(source)) !== null) return `${source.url} has pictures`
          return {
            warning: `${source.url} has no picture in the middle of its extent`,
            fix: `Check the address and the settings, and give ${source.alias} the extent of its pictures`,
          }
        }),
      ),
    )
  } finally {
    await tiles.close()
  }
}
