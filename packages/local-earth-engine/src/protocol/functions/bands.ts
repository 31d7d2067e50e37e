/** Which bands an image has, and what they are called. */
import type { Args, Run } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import { type Band, renamed } from '../band.ts'
import type { ImageValue, Value } from '../values.ts'
import { withBands } from './pixelwise.ts'

/** Bands by name, by number from 0, or by a regular expression over the whole name. */
export function selectBands(image: ImageValue, selectors: readonly Value[]): Band[] {
  return selectors.flatMap((selector) => {
    if (typeof selector === 'number') {
      const found = image.bands[selector]
      if (!found) throw badRequest(`Image.select: Band number ${selector} out of range [0, ${image.bands.length}).`)
      return [found]
    }
    const pattern = String(selector)
    const exact = image.bands.filter(({ name }) => name === pattern)
    const found = exact.length > 0 ? exact : image.bands.filter(({ name }) => bandPattern(pattern).test(name))
    if (found.length > 0) return found
    const names = image.bands.map(({ name }) => name).join(', ')
    throw badRequest(`Image.select: Band pattern '${pattern}' did not match any bands. Available bands: [${names}]`)
  })
}

/** Longer than any band name; patterns come from outside, so no long one is given to the engine. */
const MAX_PATTERN = 64

function bandPattern(pattern: string): RegExp {
  try {
    if (pattern.length <= MAX_PATTERN) return new RegExp(`^(?:${pattern})$`)
  } catch {}
  throw badRequest(`Image.select: Invalid band pattern '${pattern.slice(0, MAX_PATTERN)}'.`)
}

function select(args: Args): ImageValue {
  const image = args.image('input')
  const bands = selectBands(image, args.list('bandSelectors'))
  const names = args.given('newNames') ? args.texts('newNames') : bands.map(({ name }) => name)
  if (names.length !== bands.length)
    throw badRequest(`Image.select: Got ${bands.length} bands and ${names.length} new names.`)
  return withNames(image, bands, names)
}

function rename(args: Args): ImageValue {
  const [image, names] = [args.image('input'), args.texts('names')]
  if (names.length !== image.bands.length)
    throw badRequest(
      `Image.rename: The number of names (${names.length}) must match the number of bands (${image.bands.length}).`,
    )
  return withNames(image, image.bands, names)
}

const withNames = (image: ImageValue, bands: readonly Band[], names: readonly string[]) =>
  withBands(
    image,
    bands.map((each, i) => renamed(each, names[i]!)),
  )

function addBands(args: Args): ImageValue {
  const [target, source] = [args.image('dstImg'), args.image('srcImg')]
  const bands = [...target.bands]
  const wanted = args.given('names') ? selectBands(source, args.list('names')) : source.bands
  for (const each of wanted) {
    const at = bands.findIndex(({ name }) => name === each.name)
    if (at < 0) bands.push(each)
    else if (args.truth('overwrite')) bands[at] = each
    else {
      let suffix = 1
      while (bands.some(({ name }) => name === `${each.name}_${suffix}`)) suffix++
      bands.push(renamed(each, `${each.name}_${suffix}`))
    }
  }
  return withBands(target, bands)
}

/** Functions that choose and name bands. */
export const BANDS: Readonly<Record<string, Run>> = {
  'Image.select': select,
  'Image.rename': rename,
  'Image.addBands': addBands,
  'Image.bandNames': (args) => args.image('image').bands.map(({ name }) => name),
  'Image.bandTypes': (args) => new Map(args.image('image').bands.map(({ name, type }) => [name, type])),
}
