import { type Algorithm, type Args, algorithm, constantImage } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import { type Band, BOOLEAN, band, DOUBLE, FLOAT, type Plane, renamed, UINT8, UNIT_FLOAT, unionType } from '../band.ts'
import { boxGeometry, shapeHolds } from '../shapes.ts'
import { geometryOf, type ImageValue, type PixelTypeValue, propertyOf, type Value } from '../values.ts'
import { bothMasks, PIXELWISE, pairBands, through, withBands } from './pixelwise.ts'

/** Bands by name, by number from 0, or by a regular expression over the whole name. */
function selectBands(image: ImageValue, selectors: readonly Value[]): Band[] {
  return selectors.flatMap((selector) => {
    if (typeof selector === 'number') {
      const found = image.bands[selector]
      if (!found) throw badRequest(`Image.select: Band number ${selector} out of range [0, ${image.bands.length}).`)
      return [found]
    }
    const pattern = String(selector)
    const exact = image.bands.filter(({ name }) => name === pattern)
    const found = exact.length > 0 ? exact : image.bands.filter(({ name }) => bandPattern(pattern).test(name))
    if (found.length === 0) {
      const names = image.bands.map(({ name }) => name).join(', ')
      throw badRequest(`Image.select: Band pattern '${pattern}' did not match any bands. Available bands: [${names}]`)
    }
    return found
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
  const names = args.given('newNames') ? args.texts('newNames') : null
  if (names && names.length !== bands.length)
    throw badRequest(`Image.select: Got ${bands.length} bands and ${names.length} new names.`)
  return withBands(
    image,
    bands.map((each, index) => (names ? renamed(each, names[index]!) : each)),
  )
}

function masked(image: ImageValue, by: ImageValue, which: 'mask' | 'updateMask'): ImageValue {
  const pairs =
    by.bands.length === 1
      ? image.bands.map((each) => [each, by.bands[0]!] as const)
      : image.bands.map((each, i) => [each, by.bands[i] ?? by.bands[0]!] as const)
  return withBands(
    image,
    pairs.map(([each, mask]) =>
      band(each.name, each.type, each.gsd, (grid): Plane => {
        const plane = each.plane(grid)
        const weights = mask.plane(grid)
        const wanted = weights.values.map((value, i) =>
          weights.mask === null || weights.mask[i]! > 0 ? Math.max(0, Math.min(1, value)) : 0,
        )
        return { values: plane.values, mask: which === 'mask' ? wanted : bothMasks(plane.mask, wanted) }
      }),
    ),
  )
}

/** The image of masks: 1 where there is data. */
function maskOf(image: ImageValue): ImageValue {
  return withBands(
    image,
    image.bands.map((each) =>
      band(each.name, UNIT_FLOAT, each.gsd, (grid): Plane => {
        const { values, mask } = each.plane(grid)
        return { values: mask ?? new Float32Array(values.length).fill(1), mask: null }
      }),
    ),
  )
}

function unmask(args: Args): ImageValue {
  const image = args.image('input')
  const fill = args.given('value') ? args.image('value') : constantImage([0])
  return withBands(
    image,
    pairBands('unmask', image, fill).map(([each, other]) =>
      band(each.name, unionType(each.type, other.type), each.gsd, (grid): Plane => {
        const plane = each.plane(grid)
        if (plane.mask === null) return plane
        const filling = other.plane(grid)
        return {
          values: plane.values.map((value, i) => (plane.mask![i] === 0 ? filling.values[i]! : value)),
          mask: null,
        }
      }),
    ),
  )
}

function visualize(args: Args): ImageValue {
  const image = args.image('image')
  const bands = args.given('bands')
    ? selectBands(
        image,
        args.texts('bands').flatMap((text) => text.split(',')),
      )
    : image.bands.slice(0, image.bands.length >= 3 ? 3 : 1)
  if (bands.length !== 1 && bands.length !== 3) throw badRequest('Image.visualize: Need 1 or 3 bands.')
  for (const name of ['gain', 'bias', 'palette', 'opacity'])
    if (args.given(name))
      throw badRequest(`Image.visualize: Argument '${name}' is not supported here; use min, max and gamma.`)
  const numbers = (name: string, otherwise: number): number[] => {
    const given = args.given(name) ? [args.any(name)].flat() : [otherwise]
    return ['red', 'green', 'blue'].map((_, i) => Number(given[given.length === 1 ? 0 : i]))
  }
  const [low, high, gamma] = [numbers('min', 0), numbers('max', 255), numbers('gamma', 1)]
  return withBands(
    image,
    ['red', 'green', 'blue'].map((colour, i) => {
      const [from, span, power] = [low[i]!, high[i]! - low[i]!, 1 / gamma[i]!]
      const apply = (value: number) =>
        Math.max(0, Math.min(255, Math.floor(256 * Math.max(0, (value - from) / span) ** power)))
      const shown = bands[bands.length === 1 ? 0 : i]!
      return through(shown, UINT8, tabled(apply, shown.type), `vis-${colour}`)
    }),
  )
}

/** A function of whole numbers in a small range as a table, which is quicker than the function. */
function tabled(apply: (value: number) => number, { precision, min, max }: PixelTypeValue): (value: number) => number {
  if (precision !== 'int' || max - min > 65_535) return apply
  const table = Float32Array.from({ length: max - min + 1 }, (_, i) => apply(min + i))
  return (value) => table[value - min]!
}

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

/** Over the bands of a pixel, as ImageCollection reducers would over images: masked bands are left out. */
function reduceBands(args: Args): ImageValue {
  const [image, reducer] = [args.image('image'), args.reducer('reducer')]
  const outputs = [...reducer.over([[0]]).keys()]
  const types = image.bands.map(({ type }) => type).reduce(unionType, image.bands[0]?.type ?? FLOAT)
  const type = reducer.name.endsWith('NonZero')
    ? BOOLEAN
    : ['min', 'max', 'first', 'last'].includes(reducer.name)
      ? types
      : DOUBLE
  return withBands(
    image,
    outputs.map((output) =>
      band(output, type, image.bands[0]?.gsd ?? 1, (grid): Plane => {
        const planes = image.bands.map((each) => each.plane(grid))
        const { fold } = reducer
        if (fold && planes.length > 0 && planes.every(({ mask }) => mask === null)) {
          const values = planes[0]!.values.slice()
          for (const plane of planes.slice(1))
            for (let i = 0; i < values.length; i++) values[i] = fold(values[i]!, plane.values[i]!)
          return { values, mask: null }
        }
        const size = grid.width * grid.height
        const [values, mask] = [new Float32Array(size), new Float32Array(size)]
        for (let i = 0; i < size; i++) {
          const rows: number[][] = []
          for (const plane of planes) if (plane.mask === null || plane.mask[i]! > 0) rows.push([plane.values[i]!])
          if (rows.length === 0) continue
          const value = reducer.over(rows).get(output)
          if (typeof value === 'number') [values[i], mask[i]] = [value, 1]
        }
        return { values, mask }
      }),
    ),
  )
}

function clip(args: Args): ImageValue {
  const [image, { shape }] = [args.image('input'), args.geometry('geometry')]
  return withBands(
    image,
    image.bands.map((each) =>
      band(each.name, each.type, each.gsd, (grid): Plane => {
        const plane = each.plane(grid)
        const inside = new Float32Array(plane.values.length)
        for (let y = 0, i = 0; y < grid.height; y++) {
          const latitude = grid.north + (grid.top + y + 0.5) * grid.stepY
          for (let x = 0; x < grid.width; x++, i++)
            inside[i] = shapeHolds(shape, [grid.west + (x + 0.5) * grid.stepX, latitude]) ? 1 : 0
        }
        return { values: plane.values, mask: bothMasks(plane.mask, inside) }
      }),
    ),
  )
}

export const IMAGES: readonly Algorithm[] = [
  ...PIXELWISE,
  algorithm('Image.load(id:String, version?:Long=-1):Image', 'The image with an id.', (args, { catalogue }) =>
    catalogue.loadImage(args.text('id')),
  ),
  algorithm('Image.constant(value:Object):Image', 'A number at every pixel.', (args) =>
    constantImage([args.any('value')].flat().map(Number)),
  ),
  algorithm(
    'Image.select(input:Image, bandSelectors:List<Object>, newNames?:List<String>):Image',
    'Bands by name, number or pattern.',
    select,
  ),
  algorithm('Image.rename(input:Image, names:List<String>):Image', 'New names for all bands.', (args) => {
    const [image, names] = [args.image('input'), args.texts('names')]
    if (names.length !== image.bands.length)
      throw badRequest(
        `Image.rename: The number of names (${names.length}) must match the number of bands (${image.bands.length}).`,
      )
    return withBands(
      image,
      image.bands.map((each, i) => renamed(each, names[i]!)),
    )
  }),
  algorithm(
    'Image.visualize(image:Image, bands?:Object, gain?:Object, bias?:Object, min?:Object, max?:Object, gamma?:Object, opacity?:Number, palette?:Object, forceRgbOutput?:Boolean=false):Image',
    'Red, green and blue bytes for the eye.',
    visualize,
  ),
  algorithm(
    'Image.addBands(dstImg:Image, srcImg:Image, names?:List<String>, overwrite?:Boolean=false):Image',
    'The bands of both images.',
    addBands,
  ),
  algorithm(
    'Image.mask(image:Image, mask?:Image):Image',
    "The image's mask, or the image with another mask.",
    (args) =>
      args.given('mask') ? masked(args.image('image'), args.image('mask'), 'mask') : maskOf(args.image('image')),
  ),
  algorithm('Image.updateMask(image:Image, mask:Image):Image', 'Masks further pixels.', (args) =>
    masked(args.image('image'), args.image('mask'), 'updateMask'),
  ),
  algorithm(
    'Image.unmask(input:Image, value?:Image, sameFootprint?:Boolean=true):Image',
    'A value instead of masked pixels.',
    unmask,
  ),
  algorithm('Image.clip(input:Image, geometry:Object):Image', 'Masks all outside a geometry.', clip),
  algorithm(
    'Image.reduce(image:Image, reducer:Reducer):Image',
    'Applies a reducer to the bands of each pixel.',
    reduceBands,
  ),
  algorithm(
    'Image.resample(image:Image, mode?:String="bilinear"):Image',
    'Sets how pixels are resampled; this server always takes the nearest.',
    (args) => args.image('image'),
  ),
  algorithm('Image.clamp(input:Image, low:Float, high:Float):Image', 'Values held within a range.', (args) => {
    const [image, low, high] = [args.image('input'), args.number('low'), args.number('high')]
    return withBands(
      image,
      image.bands.map((each) => through(each, each.type, (value) => Math.max(low, Math.min(high, value)))),
    )
  }),
  algorithm('Image.unitScale(input:Image, low:Float, high:Float):Image', 'Scales low to 0 and high to 1.', (args) => {
    const [image, low, high] = [args.image('input'), args.number('low'), args.number('high')]
    return withBands(
      image,
      image.bands.map((each) => through(each, DOUBLE, (value) => (value - low) / (high - low))),
    )
  }),
  algorithm('Image.bandNames(image:Image):List<Object>', 'The names of the bands.', (args) =>
    args.image('image').bands.map(({ name }) => name),
  ),
  algorithm(
    'Image.bandTypes(image:Image):Dictionary',
    'The pixel type of each band.',
    (args) => new Map(args.image('image').bands.map(({ name, type }) => [name, type])),
  ),
  algorithm('Image.date(image:Image):Date', 'The time at which the image starts.', (args) => {
    const ms = propertyOf(args.image('image'), 'system:time_start')
    if (typeof ms !== 'number') throw badRequest("Date: Parameter 'value' is required and may not be null.")
    return { kind: 'date', ms }
  }),
  algorithm('Image.id(element:Element):String', "The image's index within its collection.", (args) =>
    propertyOf(args.element('element'), 'system:index'),
  ),
  algorithm(
    'Image.geometry(feature:Element, maxError?:ErrorMargin, proj?:Projection, geodesics?:Boolean):Geometry',
    "The image's footprint.",
    (args) => geometryOf(args.element('feature')) ?? boxGeometry([-180, -90, 180, 90]),
  ),
]
