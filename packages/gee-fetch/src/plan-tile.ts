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
export async function* planTile<Focus extends FocusObject>(
  input: PlanTileInput<Focus>,
): AsyncGenerator<readonly [Focus, PlannedObject]> {
  const candidatesOf = candidateFinder(input)
  const breathe = breather()
  for await (const object of input.focus) {
    const turn = breathe()
    if (turn) await turn
    const { id } = object
    const suitable = suitableSources(object, input.settings)
    if ('reason' in suitable) {
      yield [object, { id, reason: suitable.reason }]
      continue
    }
    let planned: PlannedObject
    try {
      const { candidates, unusable } = await candidatesOf(object, suitable.sources)
      planned = candidates.length > 0 ? { id, candidates } : { id, reason: unusable ?? 'no-image-here' }
    } catch (error) {
      if (!(error instanceof SkyscriptError) || error instanceof InputError) throw error
      planned = { id, code: error.code, message: messageOf(error) }
    }
    yield [object, planned]
  }
}

/** Candidates, best first, and the first reason why an image is none. */
interface Chosen {
  readonly candidates: readonly ImageCandidate[]
  readonly unusable: string | null
}

/** Images that suit an object. */
interface Suiting {
  /** Best first. */
  readonly images: Iterable<SourceImage>
  /** The pixels that the object gets of an image; null for one that doesn't suit. */
  readonly pixelsOf: (image: SourceImage) => PixelBox | null
  /** Why others don't suit. */
  readonly unfit: () => string | null
}

type BoxAt = (pixels: PixelSource) => PixelBox | null

/** Finds the candidates of an object in its suitable sources. */
function candidateFinder({
  tile,
  settings,
  candidates,
  origin,
  dateOf = async () => null,
}: Omit<PlanTileInput, 'focus'>): (object: FocusObject, sources: readonly Source[]) => Promise<Chosen> {
  const asked = new Map<SourceAlias, Promise<Images>>()
  const imagesOf = (source: Source) => {
    const known = asked.get(source.alias) ?? candidates(source).then(sortedImages)
    asked.set(source.alias, known)
    return known
  }
  const boxesOf = boxesIn(tile, settings)
  /** By GSD, of images that have their own: boxes know pixels by identity. */
  const ownPixels = new Map<number, PixelSource>()
  const pixelsAt = (gsd: number) => {
    const pixels = ownPixels.get(gsd) ?? { gsd }
    ownPixels.set(gsd, pixels)
    return pixels
  }
  const isByGsd = ({ gsds }: Source) => gsds !== undefined && settings.prefer === 'finest'

  const imagesFor = async (object: FocusObject, source: Source, boxAt: BoxAt): Promise<Suiting> => {
    const all = source.gsds ? null : boxAt(source)
    if (all === null && !source.gsds) return { images: [], pixelsOf: () => null, unfit: () => null }
    const { usable, leftOut } = await imagesOf(source)
    const near = source.gsds ? usable.filter((image) => isAt(object.box, image)) : usable
    const failed = source.gsds && near.find((image) => image.failed)?.failed
    if (failed) throw failed
    const own = new Map<SourceImage, PixelBox | null>(
      source.gsds && near.map((image) => [image, isFine(object, image.gsd!) ? boxAt(pixelsAt(image.gsd!)) : null]),
    )
    const pixelsOf = (image: SourceImage) => (source.gsds ? own.get(image)! : all)
    const here = covering(near, pixelsOf)
    const images = hasUsualPreference(object, settings) ? here : byPreference([...here], object, settings)
    return {
      images: isByGsd(source) ? byGsd(images) : images,
      pixelsOf,
      unfit: () =>
        leftOut.find((image) => isAt(object.box, image))?.unusable ??
        (source.gsds && near.map(({ gsd }) => unfitFor(object, gsd!, settings.tiles)).find(Boolean)) ??
        null,
    }
  }

  /** A picture as a candidate, and the same with coarser pixels where it may turn out to be enlarged. */
  const candidatesOf = async (
    object: FocusObject,
    source: Source,
    image: SourceImage,
    pixels: PixelBox,
    boxAt: BoxAt,
  ) => {
    const { imageId, origin: known } = image
    const from = known ?? (await originUnlessUnusable(() => origin(source, imageId, pixels.box)))
    if (typeof from !== 'string') return from
    const dated = image.time === null ? await dateOf(source, imageId, pixels.box) : null
    const facts = dated ? { ...image.facts, timePrecision: dated.timePrecision } : image.facts
    const common = { source: source.alias, imageId, origin: from, time: dated?.time ?? image.time }
    const found: ImageCandidate[] = [{ ...common, ...(facts && { facts }), ...pixels }]
    for (const coarser of coarserLevels(source, settings.sources)) {
      const own = boxAt(coarser)
      if (own === null || own.gsd <= pixels.gsd) continue
      if (!isFine(object, own.gsd)) break
      found.push({ ...found[0]!, ...own })
    }
    return found
  }

  return async (object, sources) => {
    const boxAt = boxesOf(object)
    const chosen: ImageCandidate[] = []
    let pictures = 0
    let unusable: string | null = null
    for (const source of sources) {
      if (pictures >= IN_ALL) break
      const { images, pixelsOf, unfit } = await imagesFor(object, source, boxAt)
      const most = Math.min(IN_ALL, pictures + PER_SOURCE)
      for (const image of images) {
        if (pictures === most) break
        const found = await candidatesOf(object, source, image, pixelsOf(image)!, boxAt)
        if ('reason' in found) {
          unusable ??= found.reason
          continue
        }
        pictures++
        chosen.push(...found)
      }
      if (chosen.length === 0) unusable ??= unfit()
    }
    if (sources.some(isByGsd)) chosen.sort((a, b) => a.gsd - b.gsd)
    return { candidates: chosen, unusable }
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
    const pixels = pixelsOf(image)
    if (pixels === null || !boxContains(footprint, pixels.box)) continue
    if (outline && coverOfBox(outline, pixels.box) <= WHOLE) continue
    isAnyWhole = true
    yield image
  }
  if (isAnyWhole) return
  for (const image of images) {
    const pixels = pixelsOf(image)
    if (pixels !== null && isAt(pixels.box, image)) yield image
  }
}
