import { ServiceError } from '@skyscript/core'
import type { EarthEngine } from './client.ts'
import type { EarthEngineSource } from './sources/source.ts'

/**
 * Checks that a source's collection is in Earth Engine's catalogue. Collections are sometimes moved or removed: the
 * error then names what the folder holds now.
 *
 * @throws ServiceError `source-gone`, `source-no-access` or `source-not-images`; and the client's errors
 */
export async function checkSource(client: EarthEngine, source: EarthEngineSource): Promise<void> {
  const { collection, mayBeImage, oldIds } = source
  const type = await client.assetType(collection)
  if (type === 'IMAGE_COLLECTION' || (type === 'IMAGE' && mayBeImage)) return
  if (type !== null)
    throw new ServiceError(
      'source-not-images',
      `${collection} is of type ${type}, not a collection of images; give the id of an image collection, or of an image.`,
      { retry: false },
    )
  for (const old of oldIds) if ((await client.assetType(old)) !== null) throw gone(source, `it is back at ${old}`)
  const folder = collection.split('/').slice(0, -1).join('/')
  // An account without permission to list the folder is not an error.
  const there = await client.assetsIn(folder).catch(() => [])
  throw gone(source, there.length > 0 ? `${folder} now holds ${there.slice(0, 5).join(', ')}` : null)
}

function gone({ alias, collection }: EarthEngineSource, where: string | null): ServiceError {
  return new ServiceError(
    'source-gone',
    `${collection} is gone from the catalogue${where === null ? '' : ` (${where})`}; leave ${alias} out of imagery.sources, or describe its new collection there as a source of your own.`,
    { retry: false },
  )
}
