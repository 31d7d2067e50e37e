import type { Box, Geometry, ImageFacts, Position } from '@skyscript/core'
import { boxesIntersect, boxOf, ServiceError } from '@skyscript/core'
import type { EarthEngine } from './client.ts'
import { mayCover } from './coverage.ts'
import { candidatesOf, singleCandidate } from './expressions.ts'
import { backOff, pause } from './pause.ts'
import { refusalOf } from './refusals.ts'
import type { EarthEngineSource } from './sources/source.ts'

/** An image of a source near a map tile. */
export interface SourceImage {
  /** Full asset id. */
  readonly imageId: string
  /** Milliseconds since 1970 UTC; null if the source has no time. */
  readonly time: number | null
  /** Percent; null if unknown. */
  readonly cloud: number | null
  /** Bounds of the covered area, degrees. */
  readonly footprint: Box
  /** The covered area, if it is known to be smaller than its bounds. */
  readonly outline?: Geometry | null
  /** Set if it is known without another request: see `ImageCandidate`. */
  readonly origin?: string
  /** Set if the source's images have GSDs of their own (m/pixel). */
  readonly gsd?: number
  /** See `ImageCandidate`. */
  readonly facts?: ImageFacts
  /** Why the image is not used; planning counts it. */
  readonly unusable?: string
  /** Why it can't be said now whether it can be used: the objects that it may show fail, and are planned again later. */
  readonly failed?: ServiceError
}

interface Answer {
  readonly geometry?: { readonly coordinates?: unknown }
  readonly properties?: { readonly index?: unknown; readonly time?: unknown; readonly cloud?: unknown }
}

/** Images per response: about 0.8 MB, and below the 5,000 elements at which Earth Engine refuses a collection. */
const PAGE = 2000
/** The page is halved down to this size when Earth Engine finds it too large; how often the smallest page is tried. */
const SMALLEST_PAGE = 50
const ATTEMPTS = 4
/** No real source has more images of one place than this. */
const MOST_IMAGES = 100_000

/** Which images of a source to list. */
export interface CandidateLimits {
  /** Maximum cloud percentage, for sources whose images record it. */
  readonly maxCloud: number
  /** Images per request, default 2,000. */
  readonly page?: number
}

/**
 * All images of a source that touch a box, by id. None may be left out here, because the choice among them depends on
 * each object's place and age. One request per 2,000 images, plus one about the asset if it may be a single image.
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
  if (!mayCover(source, box)) return []
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
 * Page by page in the order of `system:index`: each page begins after the last index of the previous one. If a page
 * exceeds Earth Engine's memory or time limit, its size is halved.
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
    if (!Array.isArray(features)) throw badAnswer(`Earth Engine returned no list of images of ${source.collection}.`)
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
