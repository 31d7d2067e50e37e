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
  type Outcome,
  type PlannedImage,
  ServiceError,
  SkyscriptError,
  type SourceAlias,
} from '@skyscript/core'
import { boxesFor } from './boxes.ts'
import type { SourceImage } from './candidates.ts'
import { byPreference } from './preference.ts'
import { reasonOf, refusalOf } from './refusals.ts'
import type { Source } from './sources/source.ts'
import { type ImagerySettings, suitableSources } from './suitable.ts'

export interface PlanTileInput {
  /** Name of the map tile that the objects belong to. */
  readonly tile: string
  /** In any order; iterated once, so they need not be in memory together. */
  readonly focus: Iterable<FocusObject> | AsyncIterable<FocusObject>
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

/**
 * Chooses which images to request for each object, best first: the preferred suitable source, and within it the best
 * image that covers the object's box. Fetches nothing.
 *
 * @returns sorted by id
 */
export async function planTile({
  tile,
  focus,
  settings,
  candidates,
  origin,
}: PlanTileInput): Promise<Outcome<PlannedImage>> {
  const kept: PlannedImage[] = []
  const dropped: Dropped[] = []
  const failed: Failed[] = []
  const asked = new Map<SourceAlias, Promise<readonly SourceImage[]>>()
  const imagesOf = (source: Source) => {
    const known = asked.get(source.alias) ?? candidates(source)
    asked.set(source.alias, known)
    return known
  }
  const breathe = breather()
  for await (const object of focus) {
    await breathe()
    const { id } = object
    const suitable = suitableSources(object, settings)
    if ('reason' in suitable) {
      dropped.push({ id, reason: suitable.reason })
      continue
    }
    try {
      const boxAt = boxesFor(object, tile, settings)
      const chosen: ImageCandidate[] = []
      let unusable: string | null = null
      for (const source of suitable.sources) {
        if (chosen.length >= IN_ALL) break
        const { alias, gsd } = source
        const pixels = boxAt(gsd)
        if (pixels === null) continue
        const images = byPreference(covering(await imagesOf(source), pixels.box), object, settings)
        const most = Math.min(IN_ALL, chosen.length + PER_SOURCE)
        for (const { imageId, origin: known, time } of images) {
          if (chosen.length === most) break
          const own = known ?? (await originUnlessUnusable(() => origin(source, imageId, pixels.box)))
          if (typeof own === 'string') chosen.push({ source: alias, imageId, origin: own, time, gsd, ...pixels })
          else unusable ??= own.reason
        }
      }
      if (chosen.length > 0) kept.push({ id, candidates: chosen })
      else dropped.push({ id, reason: unusable ?? 'no-image-here' })
    } catch (error) {
      if (!(error instanceof SkyscriptError) || error instanceof InputError) throw error
      failed.push({ id, code: error.code, message: messageOf(error) })
    }
  }
  const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1)
  return { kept: kept.sort(byId), dropped: dropped.sort(byId), failed: failed.sort(byId) }
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
function covering(images: readonly SourceImage[], box: ImageCandidate['box']): SourceImage[] {
  const whole = images.filter(
    ({ footprint, outline }) => boxContains(footprint, box) && (!outline || coverOfBox(outline, box) > WHOLE),
  )
  if (whole.length > 0) return whole
  return images.filter(
    ({ footprint, outline }) => boxesIntersect(footprint, box) && (!outline || geometryMeetsBox(outline, box)),
  )
}
