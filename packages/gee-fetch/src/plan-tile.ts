import {
  boxContains,
  boxesIntersect,
  breather,
  coverOfBox,
  type Dropped,
  type Failed,
  type FocusObject,
  geometryMeetsBox,
  type ImageCandidate,
  InputError,
  messageOf,
  type PlannedImage,
  ServiceError,
  SkyscriptError,
  type SourceAlias,
} from '@skyscript/core'
import { areaPixels, boxesIn, type PixelBox, type PixelSource } from './boxes.ts'
import type { SourceImage } from './candidates.ts'
import { MOST_ENLARGED } from './enlargement.ts'
import { byPreference, byUsualPreference, hasUsualPreference } from './preference.ts'
import { reasonOf, refusalOf } from './refusals.ts'
import { coarserOf } from './sources/coarser.ts'
import type { Source } from './sources/source.ts'
import { type ImagerySettings, isFine, suitableSources } from './suitable.ts'
import type { KnownDate } from './web/feature-date.ts'

export interface PlanTileInput<Focus extends FocusObject = FocusObject> {
  /** Name of the map tile that the objects belong to. */
  readonly tile: string
  /** In any order; iterated once, so they need not be in memory together. */
  readonly focus: Iterable<Focus> | AsyncIterable<Focus>
  readonly settings: ImagerySettings
  /** Images of a source that touch the map tile; called at most once per source. */
  candidates(source: Source): Promise<readonly SourceImage[]>
  /** See `ImageCandidate`. */
  origin(source: Source, imageId: string, box: ImageCandidate['box']): Promise<string>
  /** Asked for images without a time. */
  dateOf?(source: Source, imageId: string, box: ImageCandidate['box']): Promise<KnownDate | null>
}

/** Maximum number of images tried per source, and in total, before an object is dropped. */
const PER_SOURCE = 3
const IN_ALL = 6
/** The fraction of a box that counts as all of it, so that rounding decides nothing. */
const WHOLE = 1 - 1e-6

/** The outcome for an object: candidate images, or why there are none. */
export type PlannedObject = PlannedImage | Dropped | Failed

/**
 * Chooses which images to request for each object, best first: the preferred suitable source, and within it the best
 * image that covers the object's box. Fetches nothing.
 *
 * Memory: nothing is kept of an object.
 *
 * @returns each object with its outcome, in the order of `focus`
 */
export async function* planTile<Focus extends FocusObject>({
  tile,
  focus,
  settings,
  candidates,
  origin,
  dateOf = async () => null,
}: PlanTileInput<Focus>): AsyncGenerator<readonly [Focus, PlannedObject]> {
  const asked = new Map<SourceAlias, Promise<Images>>()
  const imagesOf = (source: Source) => {
    const known = asked.get(source.alias) ?? candidates(source).then(sortedImages)
    asked.set(source.alias, known)
    return known
  }
  const boxesOf = boxesIn(tile, settings)
  /** Pixels by GSD, of images that have their own. */
  const ownPixels = new Map<number, PixelSource>()
  const ownBoxAt = ({ gsd }: SourceImage, object: Focus, boxAt: (pixels: PixelSource) => PixelBox | null) => {
    if (!isFine(object, gsd!)) return null
    const pixels = ownPixels.get(gsd!) ?? { gsd: gsd! }
    ownPixels.set(gsd!, pixels)
    return boxAt(pixels)
  }
  const isByGsd = ({ gsds }: Source) => gsds !== undefined && settings.prefer === 'finest'
  const breathe = breather()
  for await (const object of focus) {
    const turn = breathe()
    if (turn) await turn
    const { id } = object
    const suitable = suitableSources(object, settings)
    if ('reason' in suitable) {
      yield [object, { id, reason: suitable.reason }]
      continue
    }
    let planned: PlannedObject
    try {
      const boxAt = boxesOf(object)
      const chosen: ImageCandidate[] = []
      let pictures = 0
      let unusable: string | null = null
      for (const source of suitable.sources) {
        if (pictures >= IN_ALL) break
        const { alias } = source
        const all = source.gsds ? null : boxAt(source)
        if (all === null && !source.gsds) continue
        const { usable, leftOut } = await imagesOf(source)
        const near = source.gsds ? usable.filter((image) => isAt(object.box, image)) : usable
        const failed = near.find((image) => image.failed)?.failed
        if (source.gsds && failed) throw failed
        const own = new Map(source.gsds && near.map((image) => [image, ownBoxAt(image, object, boxAt)]))
        const pixelsOf = (image: SourceImage) => (source.gsds ? own.get(image)! : all)
        const here = covering(near, pixelsOf)
        const images = hasUsualPreference(object, settings) ? here : byPreference([...here], object, settings)
        const most = Math.min(IN_ALL, pictures + PER_SOURCE)
        for (const image of isByGsd(source) ? byGsd(images) : images) {
          if (pictures === most) break
          const { imageId, origin: known } = image
          const pixels = pixelsOf(image)!
          const from = known ?? (await originUnlessUnusable(() => origin(source, imageId, pixels.box)))
          if (typeof from !== 'string') {
            unusable ??= from.reason
            continue
          }
          const dated = image.time === null ? await dateOf(source, imageId, pixels.box) : null
          const time = dated?.time ?? image.time
          const facts = dated ? { ...image.facts, timePrecision: dated.timePrecision } : image.facts
          pictures++
          const candidate = (at: string, own: PixelBox): ImageCandidate => ({
            ...{ source: alias, imageId, origin: at, time },
            ...(facts && { facts }),
            ...own,
          })
          chosen.push(candidate(from, pixels))
          for (const coarser of coarserLevels(source, settings.sources)) {
            const own = boxAt(coarser)
            if (own === null || own.gsd <= pixels.gsd) continue
            if (!isFine(object, own.gsd)) break
            chosen.push(candidate(await origin(coarser, imageId, own.box), own))
          }
        }
        if (chosen.length > 0) continue
        unusable ??= leftOut.find((image) => isAt(object.box, image))?.unusable ?? null
        if (source.gsds)
          unusable ??= near.map(({ gsd }) => unfitFor(object, gsd!, settings.tiles)).find(Boolean) ?? null
      }
      if (suitable.sources.some(isByGsd)) chosen.sort((a, b) => a.gsd - b.gsd)
      planned = chosen.length > 0 ? { id, candidates: chosen } : { id, reason: unusable ?? 'no-image-here' }
    } catch (error) {
      if (!(error instanceof SkyscriptError) || error instanceof InputError) throw error
      planned = { id, code: error.code, message: messageOf(error) }
    }
    yield [object, planned]
  }
}

/** The origin, or the reason why an image can never be used, in which case the next one may be. */
async function originUnlessUnusable(origin: () => Promise<string>): Promise<string | { readonly reason: string }> {
  try {
    return await origin()
  } catch (error) {
    if (error instanceof ServiceError && refusalOf(error) === 'image') return { reason: reasonOf(error) }
    throw error
  }
}

/**
 * A source at multiples of its GSD, where its pictures may turn out to be enlarged. It may be one itself.
 *
 * @param sources those of the settings
 */
function coarserLevels(source: Source, sources: readonly Source[]): readonly Source[] {
  const whole = source.kind === 'tiles' && sources.find(({ alias }) => alias === source.alias)
  return whole ? coarserOf(whole, MOST_ENLARGED) : []
}

/** A source's images in the order of most objects, apart from those that can't be used. */
interface Images {
  readonly usable: readonly SourceImage[]
  readonly leftOut: readonly SourceImage[]
}

function sortedImages(images: readonly SourceImage[]): Images {
  const leftOut = images.filter(({ unusable }) => unusable !== undefined)
  const usable = leftOut.length === 0 ? images : images.filter(({ unusable }) => unusable === undefined)
  return { usable: byUsualPreference(usable), leftOut }
}

const isAt = (box: ImageCandidate['box'], { footprint, outline }: SourceImage): boolean =>
  boxesIntersect(footprint, box) && (!outline || geometryMeetsBox(outline, box))

const byGsd = (images: Iterable<SourceImage>) => [...images].sort((a, b) => a.gsd! - b.gsd!)

/** Why no image of a GSD suits an object; null if one may. */
function unfitFor(object: FocusObject, gsd: number, tiles: ImagerySettings['tiles']): string | null {
  if (!isFine(object, gsd)) return 'no-source-fine-enough'
  const size = object.isArea ? areaPixels(object.box, gsd, tiles) : null
  return typeof size === 'string' ? `area-${size}` : null
}

/**
 * Images that cover the whole of their boxes; if there are none, those that cover a part (the pixel checks decide).
 *
 * @param pixelsOf null for an image that doesn't suit
 */
function* covering(
  images: readonly SourceImage[],
  pixelsOf: (image: SourceImage) => PixelBox | null,
): Generator<SourceImage> {
  let isAnyWhole = false
  for (const image of images) {
    const { footprint, outline } = image
    const box = pixelsOf(image)?.box
    if (!box) continue
    if (!boxContains(footprint, box) || (outline && coverOfBox(outline, box) <= WHOLE)) continue
    isAnyWhole = true
    yield image
  }
  if (isAnyWhole) return
  for (const image of images) {
    const box = pixelsOf(image)?.box
    if (box && isAt(box, image)) yield image
  }
}
