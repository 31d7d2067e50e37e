import { createRequire } from 'node:module'
import type ee from '@google/earthengine'
import type { Computed } from '@google/earthengine'
import type { Box } from '@skyscript/core'
import { PIXEL_STATE } from './pixel-state.ts'
import type { EarthEngineSource } from './sources/source.ts'

/** Makes the JSON of an expression graph; call `registerAlgorithms` first. */
export type Graph = () => unknown

/**
 * Google's client is loaded at the first request: loading takes a good part of a second, and commands that never use
 * Earth Engine should not wait for it. It is one module with one state per process, hence the variable.
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
 * Gives Google's client the signatures it builds expressions from. It would request them itself, without our deadlines
 * and retries, so we answer that request with what our client received.
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

/** Some of the images of a source, in the order of their `system:index`. */
export interface CandidatePage {
  /** Maximum cloud percentage, for sources whose images record it. */
  readonly maxCloud: number
  /** The index that the page begins after; null: start at the first. */
  readonly after: string | null
  /** Maximum number of images. */
  readonly most: number
}

/** Images of a source that touch a box, as a feature collection: footprint, index, time and cloud of each. */
export function candidatesOf(source: EarthEngineSource, box: Box, { maxCloud, after, most }: CandidatePage): Graph {
  return () => {
    const { ImageCollection, Geometry, Filter, Feature, Serializer } = library()
    const { cloudProperty } = source
    let near = ImageCollection(source.collection).filterBounds(Geometry.Rectangle(box, 'EPSG:4326', false))
    if (cloudProperty !== null) near = near.filter(Filter.lte(cloudProperty, maxCloud))
    if (after !== null) near = near.filter(Filter.gt('system:index', after))
    const features = near.limit(most, 'system:index', true).map((image) =>
      Feature(image.geometry().bounds(), {
        index: image.get('system:index'),
        time: image.get('system:time_start'),
        ...(cloudProperty !== null && { cloud: image.get(cloudProperty) }),
      }),
    )
    return Serializer.encodeCloudApi(features)
  }
}

/** The same for an asset that is a single image. */
export function singleCandidate(source: EarthEngineSource): Graph {
  return () => {
    const { Image, Feature, Serializer } = library()
    const image = Image(source.collection)
    return Serializer.encodeCloudApi(
      Feature(image.geometry().bounds(), { index: image.get('system:index'), time: image.get('system:time_start') }),
    )
  }
}

/** Red, green and blue stretched to bytes by the source's display range, and a fourth band with each pixel's PIXEL_STATE. */
export function pixelsOf(source: EarthEngineSource, imageId: string): Graph {
  return () => {
    const { Image, Reducer, Serializer } = library()
    const image = Image(imageId)
    const shown = image.select(source.bands)
    const colours = shown.visualize({ bands: source.bands, min: source.range[0], max: source.range[1] })
    const { black, cloudy, clear } = PIXEL_STATE
    // Adding integers costs less than conditionals: start from clear and subtract.
    const unmarked = shown
      .reduce(Reducer.max())
      .eq(0)
      .multiply(black - clear)
      .add(clear)
    const clouds = cloudsOf(source, image)
    const state = clouds === null ? unmarked : unmarked.multiply(clouds.not()).add(clouds.multiply(cloudy))
    const valid = shown.mask().reduce(Reducer.min()).gt(0)
    return Serializer.encodeCloudApi(colours.addBands(state.unmask(0).multiply(valid).toByte().rename(['state'])))
  }
}

/** 1 where the source's own band marks cloud, else 0; null if it has no such band. */
function cloudsOf({ cloudMask }: EarthEngineSource, image: Computed): Computed | null {
  if (cloudMask === null) return null
  const marks = image.select([cloudMask.band])
  if ('bits' in cloudMask) {
    const any = cloudMask.bits.reduce((sum, bit) => sum + 2 ** bit, 0)
    return marks.bitwiseAnd(any).gt(0).unmask(0)
  }
  return cloudMask.values
    .map((value) => marks.eq(value))
    .reduce((some, one) => some.or(one))
    .unmask(0)
}
