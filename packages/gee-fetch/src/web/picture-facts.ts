import { type Extent, POLITE_REQUESTS } from '@skyscript/core'
import { coveredBy } from '../coverage.ts'
import type { Picture, TileSource } from './tile-source.ts'

type Years = number | readonly [first: number, last: number] | null

/** What the settings of every kind of web service say. */
interface PictureSettings {
  readonly alias: string
  readonly title?: string | undefined
  readonly extent: Extent
  readonly years: Years
  readonly licence: string
  readonly credit?: string | undefined
  readonly requests?: TileSource['requests'] | undefined
}

/** The facts that follow from the settings, whatever the kind. */
export function pictureFacts(
  { alias, title = alias, credit = title, licence, extent, years, requests = POLITE_REQUESTS }: PictureSettings,
  pictures: readonly Picture[],
) {
  return {
    alias,
    title,
    collection: alias,
    licence,
    ...coveredBy(extent),
    ...(years !== null && { years: typeof years === 'number' ? ([years, years] as const) : years }),
    requests,
    pictures,
    range: [0, 255],
    cloudProperty: null,
    cloudBrightness: null,
    // Services tell a year, or a date that is one: January 1 is that of a year.
    timePrecision: pictures.every(({ time }) => time === null || isNewYear(time)) ? 'year' : 'day',
    credit: () => credit,
  } as const
}

const isNewYear = (time: number): boolean => time === Date.UTC(new Date(time).getUTCFullYear(), 0)

/** The only picture of a place; a mosaic of several years says of no picture when it was taken. */
export const onePicture = (name: string, years: Years): Picture[] => [
  { name, time: typeof years === 'number' ? Date.UTC(years, 0) : null },
]

/**
 * The pictures of layers: one for each year that has a layer of its own, and each time that a layer knows.
 *
 * @returns the pictures, the latest last, and the layer of each
 */
export function picturesOf(
  layers: string | Readonly<Record<string, string>>,
  years: Years,
  times: readonly string[] | undefined,
): [pictures: Picture[], layerOf: (picture: Picture) => string] {
  if (typeof layers !== 'string') {
    const named = Object.keys(layers).sort()
    return [named.map((year) => ({ name: year, time: Date.UTC(Number(year), 0) })), ({ name }) => layers[name]!]
  }
  if (times === undefined || times.length === 0) return [onePicture('latest', years), () => layers]
  // A year and a day of it, say, may have named the same time.
  const timed = [...new Set(times)].map((name) => ({ name, time: Date.parse(name) }))
  return [timed.sort((a, b) => a.time - b.time || (a.name < b.name ? -1 : 1)), () => layers]
}
