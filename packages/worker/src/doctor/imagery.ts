import type { Config } from '@skyscript/core'
import { InputError, messageOf, ServiceError } from '@skyscript/core'
import type { CogImagery, CogSource, EarthEngine, EarthEngineSource } from '@skyscript/gee-fetch'
import type { DoctorCheck, Finding } from './doctor.ts'

type EarthEngineConfig = Config['imagery']['earthEngine']

/** Whether Earth Engine answers and takes these credentials for this project, and whether each source is there. */
export async function checkImagery(config: Config['imagery']): Promise<DoctorCheck[]> {
  const { createCogImagery, createEarthEngine, sourcesOf } = await import('@skyscript/gee-fetch')
  const sources = sourcesOf(config.sources)
  const files = sources.filter((source) => source.kind === 'cog')
  const catalogued = sources.filter((source) => source.kind === 'earth-engine')
  const checks: DoctorCheck[] = []
  if (catalogued.length > 0) {
    const open = () => createEarthEngine(config.earthEngine)
    checks.push(...(await checkEarthEngine(config.earthEngine, open, catalogued)))
  }
  if (files.length > 0) {
    const cog = createCogImagery({ maxConcurrent: 8, maxCloud: 100 })
    checks.push(...(await Promise.all(files.map((source) => checkFiles(cog, source)))))
    await cog.close()
  }
  return checks
}

async function checkEarthEngine(
  config: EarthEngineConfig,
  open: () => EarthEngine,
  sources: readonly EarthEngineSource[],
): Promise<DoctorCheck[]> {
  const name = 'earth-engine'
  if (config.endpoint === 'local')
    return [{ name, status: 'ok', detail: 'local: images are drawn from the extract itself' }]
  try {
    const client = open()
    try {
      await client.check()
      const answers: DoctorCheck = {
        name,
        status: 'ok',
        detail: `${config.endpoint} answers for project ${config.project ?? '(none)'}`,
      }
      return [answers, ...(await Promise.all(sources.map((source) => checkCollection(client, source))))]
    } finally {
      await client.close()
    }
  } catch (error) {
    const fix =
      error instanceof InputError
        ? 'Register a Google Cloud project at https://code.earthengine.google.com/register, make a key for a service account in it, and set imagery.earthEngine.project and .credentials; or set endpoint: local to try without.'
        : 'Check the network and imagery.earthEngine.endpoint; or set endpoint: local to try without.'
    return [{ name, status: 'fail', detail: messageOf(error), fix }]
  }
}

/** Collections are moved and taken away now and then: where one is gone, what is there in its place. */
async function checkCollection(client: EarthEngine, source: EarthEngineSource): Promise<DoctorCheck> {
  const { alias, collection, oldIds } = source
  const name = `source:${alias}`
  let type: string | null
  try {
    type = await client.assetType(collection)
  } catch (error) {
    // What an asset's own rights say concerns its source alone.
    if (!(error instanceof ServiceError) || error.code !== 'source-no-access') throw error
    return { name, status: 'fail', detail: messageOf(error), fix: `Have ${collection} shared with the account.` }
  }
  if (type === 'IMAGE_COLLECTION' || (type === 'IMAGE' && source.mayBeImage))
    return { name, status: 'ok', detail: `${collection} is there` }
  if (type !== null)
    return {
      name,
      status: 'fail',
      detail: `${collection} is of type ${type}, not a collection of images`,
      fix: 'Give the id of an image collection, or of an image.',
    }
  for (const old of oldIds)
    if ((await client.assetType(old)) !== null) return { name, ...moved(source, `back at ${old}`) }
  const folder = collection.split('/').slice(0, -1).join('/')
  // Whether a folder may be listed is not what is asked here.
  const there = await client.assetsIn(folder).catch(() => [])
  return { name, ...moved(source, there.length > 0 ? `${folder} now holds ${there.slice(0, 5).join(', ')}` : null) }
}

function moved({ alias, collection }: EarthEngineSource, where: string | null): Finding {
  return {
    status: 'fail',
    detail: `${collection} is gone from the catalogue${where === null ? '' : `: ${where}`}`,
    fix: `Leave ${alias} out of imagery.sources, or describe its collection of today there as a source of your own.`,
  }
}

async function checkFiles(cog: CogImagery, source: CogSource): Promise<DoctorCheck> {
  const name = `source:${source.alias}`
  try {
    await cog.check(source)
    const detail =
      source.stac === null
        ? `${source.files.length} ${source.files.length === 1 ? 'file' : 'files'} can be read`
        : `${source.stac} has ${source.collection}`
    return { name, status: 'ok', detail }
  } catch (error) {
    return {
      name,
      status: 'fail',
      detail: messageOf(error),
      fix: `Check stac, collection and files of ${source.alias}.`,
    }
  }
}
