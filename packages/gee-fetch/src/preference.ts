import { type Config, type FocusObject, seededFraction } from '@skyscript/core'
import type { SourceImage } from './candidates.ts'

/** Differences in cloud below this percentage are ignored. */
const CLOUD_STEP = 5

/** In steps; an image of unknown cloud cover ranks behind the clearest. */
const cloudiness = (image: SourceImage): number => Math.floor((image.cloud ?? CLOUD_STEP) / CLOUD_STEP)

/** Images of a source in the order in which most objects prefer them: that of `byPreference` where no object decides. */
export const byUsualPreference = (images: readonly SourceImage[]): SourceImage[] =>
  byPreference(images, { id: '', edited: null }, { year: 'latest', seed: 0 })

/** Whether an object's preference is the usual one. */
export const hasUsualPreference = (
  { edited }: Pick<FocusObject, 'edited'>,
  { year }: { readonly year: Config['imagery']['year'] },
): boolean => year === 'latest' || (year === 'closest' && edited === null)

/**
 * An object's images of one source, best first: by cloud in steps of 5 %; then the latest, or the closest in time to the
 * object's last edit (the latest if that is unknown), or a year drawn per object from the seed, so that all years are
 * equally frequent; ties are broken by id.
 */
export function byPreference(
  images: readonly SourceImage[],
  { id, edited }: Pick<FocusObject, 'id' | 'edited'>,
  { year, seed }: { readonly year: Config['imagery']['year']; readonly seed: number },
): SourceImage[] {
  const draws = new Map<number, number>()
  const drawOf = (time: number | null) => {
    const of = time === null ? 0 : new Date(time).getUTCFullYear()
    const draw = draws.get(of) ?? seededFraction(seed, `year-${of}`, id)
    draws.set(of, draw)
    return draw
  }
  const farness = (image: SourceImage): number => {
    if (year === 'all') return drawOf(image.time)
    if (year === 'closest' && edited !== null) return Math.abs((image.time ?? 0) - edited)
    return 0
  }
  return images
    .map((image) => ({ image, cloud: cloudiness(image), far: farness(image) }))
    .sort(
      (a, b) =>
        a.cloud - b.cloud ||
        a.far - b.far ||
        (b.image.time ?? 0) - (a.image.time ?? 0) ||
        (a.image.imageId < b.image.imageId ? -1 : 1),
    )
    .map(({ image }) => image)
}
