import { type Extent, POLITE_REQUESTS } from '@skyscript/core'
import { coveredBy } from '../coverage.ts'
import type { Picture, TileSource } from './tile-source.ts'

/** What the settings of every kind of web service say. */
interface PictureSettings {
  readonly alias: string
  readonly title?: string | undefined
  readonly extent: Extent
  readonly years: number | readonly [first: number, last: number] | null
  readonly licence: string
  readonly credit?: string | undefined
  readonly requests?: TileSource['requests'] | undefined
}

/**
 * The facts that follow from the settings whatever the kind.
 *
 * @param pictures what a service has of a place, or the name of its only picture
 */
export function pictureFacts(
  { alias, title = alias, credit = title, licence, years, extent, requests = POLITE_REQUESTS }: PictureSettings,
  pictures: string | readonly Picture[],
) {
  // A mosaic of several years says of no picture when it was taken.
  const time = typeof years === 'number' ? Date.UTC(years, 0) : null
  return {
    alias,
    title,
    collection: alias,
    licence,
    ...coveredBy(extent),
    ...(years !== null && { years: typeof years === 'number' ? ([years, years] as const) : years }),
    requests,
    pictures: typeof pictures === 'string' ? [{ name: pictures, time }] : pictures,
    range: [0, 255],
    cloudProperty: null,
    cloudBrightness: null,
    timePrecision: 'year',
    credit: () => credit,
  } as const
}
