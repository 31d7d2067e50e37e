import { createRequire } from 'node:module'
import type ee from '@google/earthengine'
import type { Box } from '@skyscript/core'
import type { Source } from './sources/source.ts'

/** Makes the JSON of an expression graph; only once `registerAlgorithms` has been called. */
export type Graph = () => unknown

/**
 * Google's client is loaded at the first request: it takes a good part of a second, and commands that ask Earth Engine
 * nothing should not wait for it. It is one module with one state for the process, hence the variable.
 */
let client: typeof ee | undefined

interface Algorithm {
  readonly name: string
  readonly description?: string
  readonly returnType?: string
  readonly arguments?: readonly {
    argumentName: string
    type: string
    optional?: boolean
    defaultValue?: unknown
    description?: string
  }[]
}

/**
 * Gives Google's client the signatures it builds expressions by. It would ask for them itself, at its own pace and
 * without our deadlines and retries, so its question is answered with what our client was told.
 *
 * @param answer of `GET /v1/projects/{p}/algorithms`
 */
export async function registerAlgorithms(answer: Record<string, unknown>): Promise<void> {
  if (client) return
  const loaded = createRequire(import.meta.url)('@google/earthengine') as typeof ee
  const list = Array.isArray(answer.algorithms) ? (answer.algorithms as Algorithm[]) : []
  const signatures = Object.fromEntries(
    list.map((algorithm) => {
      const name = algorithm.name.replace(/^algorithms\//, '')
      const args = (algorithm.arguments ?? []).map((argument) => ({
        name: argument.argumentName,
        type: argument.type,
        optional: argument.optional ?? false,
        default: argument.defaultValue ?? null,
        description: argument.description ?? '',
      }))
      return [name, { name, description: algorithm.description ?? '', returns: algorithm.returnType ?? 'Object', args }]
    }),
  )
  loaded.data.getAlgorithms = (done) => {
    if (!done) return signatures
    done(signatures)
    return undefined
  }
  await new Promise<void>((resolve, reject) => {
    loaded.initialize(null, null, resolve, (message) => reject(new Error(message)), null, 'skyscript')
  })
  client = loaded
}

function library(): typeof ee {
  if (!client) throw new TypeError('An expression was built before the algorithms were registered.')
  return client
}

/** At most this many images of one source are weighed for one map tile. */
export const MAX_CANDIDATES = 100

/**
 * The images of a source that touch a box, as a feature collection: footprint, index, time and cloud of each. Those
 * with little cloud, or the latest, where there are more than MAX_CANDIDATES.
 */
export function candidatesOf(source: Source, box: Box): Graph {
  return () => {
    const { ImageCollection, Geometry, Filter, Feature, Serializer } = library()
    const { cloud } = source
    const near = ImageCollection(source.collection).filterBounds(Geometry.Rectangle(box, 'EPSG:4326', false))
    const clear = cloud === null ? near : near.filter(Filter.lte(cloud.property, cloud.limit))
    const best =
      cloud === null
        ? clear.limit(MAX_CANDIDATES, 'system:time_start', false)
        : clear.limit(MAX_CANDIDATES, cloud.property, true)
    const features = best.map((image) =>
      Feature(image.geometry().bounds(), {
        index: image.get('system:index'),
        time: image.get('system:time_start'),
        ...(cloud !== null && { cloud: image.get(cloud.property) }),
      }),
    )
    return Serializer.encodeCloudApi(features)
  }
}

/** The same for an asset that is one image. */
export function singleCandidate(source: Source): Graph {
  return () => {
    const { Image, Feature, Serializer } = library()
    const image = Image(source.collection)
    return Serializer.encodeCloudApi(
      Feature(image.geometry().bounds(), { index: image.get('system:index'), time: image.get('system:time_start') }),
    )
  }
}

/** Red, green and blue stretched to bytes by the source's display range, and a band that is 255 where all three are valid. */
export function pixelsOf(source: Source, imageId: string): Graph {
  return () => {
    const { Image, Reducer, Serializer } = library()
    const image = Image(imageId).select(source.bands)
    const colours = image.visualize({ bands: source.bands, min: source.range[0], max: source.range[1] })
    const valid = image.mask().reduce(Reducer.min()).multiply(255).toByte().rename(['valid'])
    return Serializer.encodeCloudApi(colours.addBands(valid))
  }
}
