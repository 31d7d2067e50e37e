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
import { boxesIn } from './boxes.ts'
import type { SourceImage } from './candidates.ts'
import { byPreference, byUsualPreference, hasUsualPreference } from './preference.ts'
import { reasonOf, refusalOf } from './refusals.ts'
import type { Source } from './sources/source.ts'
import { type ImagerySettings, suitableSources } from './suitable.ts'

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
}: PlanTileInput<Focus>): AsyncGenerator<readonly [Focus, PlannedObject]> {
  const asked = new Map<SourceAlias, Promise<readonly SourceImage[]>>()
  const imagesOf = (source: Source) => {
    const known = asked.get(source.alias) ?? candidates(source).then(byUsualPreference)
    asked.set(source.alias, known)
    return known
  }
  const boxesOf = boxesIn(tile, settings)
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
      let unusable: string | null = null
      for (const source of suitable.sources) {
        if (chosen.length >= IN_ALL) break
        const { alias } = source
        const pixels = boxAt(source)
        if (pixels === null) continue
        const here = covering(await imagesOf(source), pixels.box)
        const images = hasUsualPreference(object, settings) ? here : byPreference([...here], object, settings)
        const most = Math.min(IN_ALL, chosen.length + PER_SOURCE)
        for (const { imageId, origin: known, time } of images) {
          if (chosen.length === most) break
          const own = known ?? (await originUnlessUnusable(() => origin(source, imageId, pixels.box)))
          if (typeof own === 'string') chosen.push({ source: alias, imageId, origin: own, time, ...pixels })
          else unusable ??= own.reason
        }
      }
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

/** Images that cover the whole box; if there are none, those that cover a part of it (the pixel checks decide). */
function* covering(images: readonly SourceImage[], box: ImageCandidate['box']): Generator<SourceImage> {
  let isAnyWhole = false
  for (const image of images) {
    const { footprint, outline } = image
    if (!boxContains(footprint, box) || (outline && coverOfBox(outline, box) <= WHOLE)) continue
    isAnyWhole = true
    yield image
  }
  if (isAnyWhole) return
  for (const image of images) {
    const { footprint, outline } = image
    if (boxesIntersect(footprint, box) && (!outline || geometryMeetsBox(outline, box))) yield image
  }
}
