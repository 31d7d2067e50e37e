import type { Box, Geometry, Position } from '@skyscript/core'
import { boxesIntersect, boxOf, ServiceError } from '@skyscript/core'
import type { EarthEngine } from './client.ts'
import { candidatesOf, singleCandidate } from './expressions.ts'
import { backOff, pause } from './pause.ts'
import { refusalOf } from './refusals.ts'
import type { EarthEngineSource } from './sources/source.ts'

/** An image of a source near a map tile. */
export interface SourceImage {
  /** Full asset id. */
  readonly imageId: string
  /** Milliseconds since 1970 UTC; null where the source has no time. */
  readonly time: number | null
  /** Percent; null where it is not known. */
  readonly cloud: number | null
  /** Bounds of what it covers, degrees. */
  readonly footprint: Box
  /** The area that it covers, where it is known to be less than its bounds. */
  readonly outline?: Geometry | null
  /** Where it is known without another request: see `ImageCandidate`. */
  readonly origin?: string
}

interface Answer {
  readonly geometry?: { readonly coordinates?: unknown }
  readonly properties?: { readonly index?: unknown; readonly time?: unknown; readonly cloud?: unknown }
}

/** Images of one answer: some 0.8 MB, and fewer than the 5,000 elements at which Earth Engine refuses a collection. */
const PAGE = 2000
/** Images of the smallest page that is asked for where larger ones are too much, and how often that is tried. */
const SMALLEST_PAGE = 50
const ATTEMPTS = 4
/** A place with more images than this is none that a source of images of the Earth has. */
const MOST_IMAGES = 100_000

/** Which images of a source are asked for. */
export interface CandidateLimits {
  /** Percent of cloud, of sources whose images record it. */
  readonly maxCloud: number
  /** Images per request, default 2,000. */
  readonly page?: number
}

/**
 * All images of a source that touch a box, by id: which of them an object gets depends on its own place and age, so
 * none may be left out here. One request for each 2,000 images, and once one about the asset where it may be a single
 * image.
 *
 * @throws ServiceError `earth-engine-bad-answer`
 */
export async function findCandidates(
  ee: EarthEngine,
  source: EarthEngineSource,
  box: Box,
  limits: CandidateLimits,
  signal?: AbortSignal,
): Promise<SourceImage[]> {
  if (!boxesIntersect(source.extent, box)) return []
  const single = source.mayBeImage && (await ee.assetType(source.collection)) === 'IMAGE'
  const images = new Map<string, SourceImage>()
  const features = single
    ? [(await ee.compute(singleCandidate(source), signal)) as Answer]
    : await allFeatures(ee, source, box, limits, signal)
  for (const feature of features) {
    const image = imageOf(source, feature, single)
    if (image !== null && boxesIntersect(image.footprint, box)) images.set(image.imageId, image)
  }
  return [...images.values()].sort((a, b) => (a.imageId < b.imageId ? -1 : 1))
}

/**
 * Page by page in the order of `system:index`: each page begins after the last index of the one before. A page that is
 * too much for Earth Engine's memory or time is asked for in halves.
 */
async function allFeatures(
  ee: EarthEngine,
  source: EarthEngineSource,
  box: Box,
  { maxCloud, page = PAGE }: CandidateLimits,
  signal?: AbortSignal,
): Promise<Answer[]> {
  const all: Answer[] = []
  let after: string | null = null
  let most = page
  let failures = 0
  while (all.length < MOST_IMAGES) {
    let result: unknown
    try {
      result = await ee.compute(candidatesOf(source, box, { maxCloud, after, most }), signal)
    } catch (error) {
      if (refusalOf(error) !== 'too-much') throw error
      if (most > SMALLEST_PAGE) most = Math.max(SMALLEST_PAGE, Math.floor(most / 2))
      else if (++failures === ATTEMPTS) throw error
      else await pause(backOff(failures), signal)
      continue
    }
    failures = 0
    const features = (result as { features?: Answer[] } | null)?.features
    if (!Array.isArray(features)) throw badAnswer(`Earth Engine gave no list of images of ${source.collection}.`)
    all.push(...features)
    if (features.length < most) return all
    const last: unknown = features.at(-1)?.properties?.index
    if (typeof last !== 'string' || last === after)
      throw badAnswer(`Earth Engine listed images of ${source.collection} without their index.`)
    after = last
  }
  throw badAnswer(
    `${source.collection} has more than ${MOST_IMAGES} images at ${box.join(', ')}; set a lower imagery.maxCloud.`,
  )
}

const badAnswer = (message: string) => new ServiceError('earth-engine-bad-answer', message, { retry: false })

function imageOf(source: EarthEngineSource, { geometry, properties }: Answer, single: boolean): SourceImage | null {
  const { index, time, cloud } = properties ?? {}
  const rings = geometry?.coordinates as Position[][] | undefined
  if ((!single && typeof index !== 'string') || !Array.isArray(rings?.[0])) return null
  return {
    imageId: single ? source.collection : `${source.collection}/${index}`,
    time: typeof time === 'number' ? time : null,
    cloud: typeof cloud === 'number' && cloud >= 0 ? cloud : null,
    footprint: boxOf({ type: 'Polygon', coordinates: rings }),
  }
}
