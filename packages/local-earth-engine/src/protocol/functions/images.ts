/** Masks, colours for the eye, and reductions of images. */
import { type Args, constantImage, type Run } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import { band, type PixelTypeValue, type Plane, TYPES, unionType } from '../band.ts'
import { boxGeometry, shapeHolds } from '../shapes.ts'
import { geometryOf, type ImageValue, propertyOf } from '../values.ts'
import { selectBands } from './bands.ts'
import { bothMasks, eachBand, pairBands, remade, through, withBands } from './pixelwise.ts'

function masked(image: ImageValue, by: ImageValue, which: 'mask' | 'updateMask'): ImageValue {
  const bands = image.bands.map((each, i) => {
    const mask = by.bands[by.bands.length === 1 ? 0 : i] ?? by.bands[0]!
    return remade(each, each.type, (grid): Plane => {
      const plane = each.plane(grid)
      const weights = mask.plane(grid)
      const wanted = weights.values.map((value, at) =>
        weights.mask === null || weights.mask[at]! > 0 ? Math.max(0, Math.min(1, value)) : 0,
      )
      return { values: plane.values, mask: which === 'mask' ? wanted : bothMasks(plane.mask, wanted) }
    })
  })
  return withBands(image, bands)
}

/** The image of masks: 1 where there is data. */
function maskOf(image: ImageValue): ImageValue {
  return eachBand(image, (each) =>
    remade(each, TYPES.unit, (grid): Plane => {
      const { values, mask } = each.plane(grid)
      return { values: mask ?? new Float32Array(values.length).fill(1), mask: null }
    }),
  )
}

function unmask(args: Args): ImageValue {
  const image = args.image('input')
  const fill = args.given('value') ? args.image('value') : constantImage([0])
  const bands = pairBands('unmask', image, fill).map(([each, other]) =>
    remade(each, unionType(each.type, other.type), (grid): Plane => {
      const plane = each.plane(grid)
      const { values, mask } = plane
      if (mask === null) return plane
      const filling = other.plane(grid).values
      return { values: values.map((value, i) => (mask[i] === 0 ? filling[i]! : value)), mask: null }
    }),
  )
  return withBands(image, bands)
}

const COLOURS = ['red', 'green', 'blue']

function visualize(args: Args): ImageValue {
  const image = args.image('image')
  const wanted = args.given('bands') ? args.texts('bands').flatMap((text) => text.split(',')) : null
  const bands = wanted ? selectBands(image, wanted) : image.bands.slice(0, image.bands.length >= 3 ? 3 : 1)
  if (bands.length !== 1 && bands.length !== 3) throw badRequest('Image.visualize: Need 1 or 3 bands.')
  for (const name of ['gain', 'bias', 'palette', 'opacity'])
    if (args.given(name))
      throw badRequest(`Image.visualize: Argument '${name}' is not supported here; use min, max and gamma.`)
  const numbers = (name: string, otherwise: number): number[] => {
    const given = args.given(name) ? [args.any(name)].flat() : [otherwise]
    return COLOURS.map((_, i) => Number(given[given.length === 1 ? 0 : i]))
  }
  const [low, high, gamma] = [numbers('min', 0), numbers('max', 255), numbers('gamma', 1)]
  const shown = COLOURS.map((colour, i) => {
    const each = bands[bands.length === 1 ? 0 : i]!
    return through(each, TYPES.uint8, stretch(low[i]!, high[i]!, gamma[i]!, each.type), `vis-${colour}`)
  })
  return withBands(image, shown)
}

/** Tables of stretches of whole numbers, which the next request needs again. */
const stretches = new Map<string, Float32Array>()
const MOST_STRETCHES = 64

/** From low to high onto 0 to 255. Whole numbers in a small range are looked up, which is quicker. */
function stretch(low: number, high: number, gamma: number, type: PixelTypeValue): (value: number) => number {
  const [span, power, { min, max }] = [high - low, 1 / gamma, type]
  const apply = (value: number) =>
    Math.max(0, Math.min(255, Math.floor(256 * Math.max(0, (value - low) / span) ** power)))
  if (type.precision !== 'int' || max - min > 65_535) return apply
  const key = [low, high, gamma, min, max].join()
  let table = stretches.get(key)
  if (!table) {
    table = Float32Array.from({ length: max - min + 1 }, (_, i) => apply(min + i))
    if (stretches.size >= MOST_STRETCHES) stretches.clear()
    stretches.set(key, table)
  }
  return (value) => table[value - min]!
}

/** Over the bands of a pixel, as ImageCollection reducers would over images: masked bands are left out. */
function reduceBands(args: Args): ImageValue {
  const [image, reducer] = [args.image('image'), args.reducer('reducer')]
  const types = image.bands.map(({ type }) => type).reduce(unionType, image.bands[0]?.type ?? TYPES.float)
  const isOneOfThem = ['min', 'max', 'first', 'last'].includes(reducer.name)
  const type = reducer.name.endsWith('NonZero') ? TYPES.boolean : isOneOfThem ? types : TYPES.double
  const bands = [...reducer.over([[0]]).keys()].map((output) =>
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
        if (fold) {
          for (const plane of planes) {
            if (plane.mask !== null && plane.mask[i] === 0) continue
            values[i] = mask[i] === 0 ? plane.values[i]! : fold(values[i]!, plane.values[i]!)
            mask[i] = 1
          }
          continue
        }
        const rows: number[][] = []
        for (const plane of planes) if (plane.mask === null || plane.mask[i]! > 0) rows.push([plane.values[i]!])
        if (rows.length === 0) continue
        const value = reducer.over(rows).get(output)
        if (typeof value === 'number') [values[i], mask[i]] = [value, 1]
      }
      return { values, mask }
    }),
  )
  return withBands(image, bands)
}

function clip(args: Args): ImageValue {
  const [image, { shape }] = [args.image('input'), args.geometry('geometry')]
  return eachBand(image, (each) =>
    remade(each, each.type, (grid): Plane => {
      const plane = each.plane(grid)
      const inside = new Float32Array(plane.values.length)
      for (let y = 0, i = 0; y < grid.height; y++) {
        const latitude = grid.north + (grid.top + y + 0.5) * grid.stepY
        for (let x = 0; x < grid.width; x++, i++)
          inside[i] = shapeHolds(shape, [grid.west + (x + 0.5) * grid.stepX, latitude]) ? 1 : 0
      }
      return { values: plane.values, mask: bothMasks(plane.mask, inside) }
    }),
  )
}

/** Functions of whole images. */
export const IMAGES: Readonly<Record<string, Run>> = {
  'Image.constant': (args) => constantImage([args.any('value')].flat().map(Number)),
  'Image.visualize': visualize,
  'Image.mask': (args) =>
    args.given('mask') ? masked(args.image('image'), args.image('mask'), 'mask') : maskOf(args.image('image')),
  'Image.updateMask': (args) => masked(args.image('image'), args.image('mask'), 'updateMask'),
  'Image.unmask': unmask,
  'Image.clip': clip,
  'Image.reduce': reduceBands,
  'Image.resample': (args) => args.image('image'),
  'Image.date'(args) {
    const ms = propertyOf(args.image('image'), 'system:time_start')
    if (typeof ms !== 'number') throw badRequest("Date: Parameter 'value' is required and may not be null.")
    return { kind: 'date', ms }
  },
  'Image.id': (args) => propertyOf(args.element('element'), 'system:index'),
  'Image.geometry': (args) => geometryOf(args.element('feature')) ?? boxGeometry([-180, -90, 180, 90]),
}
