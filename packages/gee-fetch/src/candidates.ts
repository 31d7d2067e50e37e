import type { Box, Position } from '@skyscript/core'
import { boxesIntersect, boxOf, ServiceError } from '@skyscript/core'
import type { EarthEngine } from './client.ts'
import { candidatesOf, singleCandidate } from './expressions.ts'
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
}

interface Answer {
  readonly geometry?: { readonly coordinates?: unknown }
  readonly properties?: { readonly index?: unknown; readonly time?: unknown; readonly cloud?: unknown }
}

/** Which images of a source are asked for. */
export interface CandidateLimits {
  /** Percent of cloud, of sources whose images record it. */
  readonly maxCloud: number
  /** Images of a source at most: the clearest, or the latest where they don't know of clouds. */
  readonly most: number
}

/** The images of a source that touch a box, by id. One request, and once one about the asset where it may be a single image. */
export async function findCandidates(
  ee: EarthEngine,
  source: EarthEngineSource,
  box: Box,
  limits: CandidateLimits,
): Promise<SourceImage[]> {
  if (!boxesIntersect(source.extent, box)) return []
  const single = source.mayBeImage && (await ee.assetType(source.collection)) === 'IMAGE'
  const result = await ee.compute(single ? singleCandidate(source) : candidatesOf(source, box, limits))
  const features = single ? [result as Answer] : (result as { features?: Answer[] } | null)?.features
  if (!Array.isArray(features))
    throw new ServiceError('earth-engine-bad-answer', `Earth Engine gave no list of images of ${source.collection}.`, {
      retry: false,
    })
  const images = features.flatMap((feature) => imageOf(source, feature, single))
  return images
    .filter(({ footprint }) => boxesIntersect(footprint, box))
    .sort((a, b) => (a.imageId < b.imageId ? -1 : 1))
}

function imageOf(source: EarthEngineSource, { geometry, properties }: Answer, single: boolean): SourceImage[] {
  const { index, time, cloud } = properties ?? {}
  const rings = geometry?.coordinates as Position[][] | undefined
  if ((!single && typeof index !== 'string') || !Array.isArray(rings?.[0])) return []
  return [
    {
      imageId: single ? source.collection : `${source.collection}/${index}`,
      time: typeof time === 'number' ? time : null,
      cloud: typeof cloud === 'number' && cloud >= 0 ? cloud : null,
      footprint: boxOf({ type: 'Polygon', coordinates: rings }),
    },
  ]
}
