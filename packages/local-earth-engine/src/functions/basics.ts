import { type Algorithm, type Args, algorithm } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import { boxGeometry, geometry, makeShape, shapeBox, shapesIntersect } from '../shapes.ts'
import { geometryOf, isMap, propertyOf, type ReducerValue, type Value, withProperties } from '../values.ts'

/** A reducer of one input; nulls are left out, as there. */
function single(
  name: string,
  reduce: (values: readonly number[]) => Value,
  fold?: (a: number, b: number) => number,
): Algorithm {
  return algorithm(`Reducer.${name}():Reducer`, `The ${name} of the inputs.`, () => ({
    kind: 'reducer',
    name,
    inputs: 1,
    optional: 0,
    over(rows) {
      const numbers = rows.map(([value]) => value).filter((value) => typeof value === 'number')
      return new Map([[OUTPUT_NAMES[name] ?? name, reduce(numbers)]])
    },
    ...(fold && { fold }),
  }))
}

const smaller = (a: number, b: number) => (a < b ? a : b)
const larger = (a: number, b: number) => (a > b ? a : b)

/** The least or greatest first input, with the other inputs of the same row. */
function extreme(name: 'min' | 'max', better: (a: number, b: number) => number): Algorithm {
  return algorithm(`Reducer.${name}(numInputs?:Integer=1):Reducer`, `The ${name} of the first input.`, (args) => {
    const inputs = args.number('numInputs')
    if (!Number.isInteger(inputs) || inputs < 1)
      throw badRequest(`Reducer.${name}: Argument 'numInputs' must be positive; got ${inputs}.`)
    const outputs = Array.from({ length: inputs }, (_, i) => (i === 0 ? name : `${name}${i}`))
    return {
      kind: 'reducer',
      name,
      inputs,
      optional: 0,
      over(rows) {
        let best: readonly Value[] | null = null
        for (const row of rows) {
          const [value] = row
          if (typeof value !== 'number') continue
          const known = best?.[0]
          if (typeof known !== 'number' || (value !== known && better(known, value) === value)) best = row
        }
        return new Map(outputs.map((output, i) => [output, best?.[i] ?? null]))
      },
      ...(inputs === 1 && { fold: better }),
    }
  })
}

const OUTPUT_NAMES: Readonly<Record<string, string>> = { allNonZero: 'all', anyNonZero: 'any' }

function toList(args: Args): ReducerValue {
  const size = args.given('tupleSize') ? args.number('tupleSize') : 0
  const optional = args.number('numOptional')
  return {
    kind: 'reducer',
    name: 'toList',
    inputs: Math.max(1, size),
    optional,
    over(rows) {
      const whole = rows.filter((row) => row.every((value, i) => value !== null || i >= row.length - optional))
      return new Map([['list', size === 0 ? whole.map(([value]) => value ?? null) : whole]])
    },
  }
}

/** Properties of elements. */
const ELEMENTS: readonly Algorithm[] = [
  algorithm('Element.set(object:Element, key:String, value?:Object):Element', 'Sets a property.', (args) =>
    withProperties(args.element('object'), [[args.text('key'), args.any('value')]]),
  ),
  algorithm('Element.setMulti(object:Element, properties:Dictionary):Element', 'Sets several properties.', (args) =>
    withProperties(args.element('object'), args.dictionary('properties')),
  ),
  algorithm('Element.get(object:Element, property:String):<any>', 'The value of a property.', (args) => {
    const object = args.any('object')
    const isCollection =
      typeof object === 'object' && object !== null && 'kind' in object && object.kind === 'collection'
    return propertyOf(isCollection ? args.collection('object') : args.element('object'), args.text('property'))
  }),
  algorithm(
    'Element.toDictionary(element:Element, properties?:List<String>):Dictionary',
    'The properties as a dictionary.',
    (args) => {
      const element = args.element('element')
      const names = args.given('properties')
        ? args.texts('properties')
        : [...element.properties.keys()].filter((name) => !name.startsWith('system:'))
      return new Map(names.map((name) => [name, propertyOf(element, name)]))
    },
  ),
  algorithm('Element.propertyNames(element:Element):List<Object>', 'The names of the properties.', (args) => [
    ...args.element('element').properties.keys(),
  ]),
  ...['Element', 'Image'].map((type) =>
    algorithm(
      `${type}.copyProperties(destination?:Element, source?:Element, properties?:List<String>, exclude?:List<String>):Element`,
      'Copies properties.',
      (args) => {
        const [target, source] = [args.element('destination'), args.element('source')]
        const wanted = args.given('properties')
          ? args.texts('properties')
          : [...source.properties.keys()].filter((name) => !name.startsWith('system:'))
        const excluded = args.given('exclude') ? args.texts('exclude') : []
        return withProperties(
          target,
          wanted.filter((name) => !excluded.includes(name)).map((name) => [name, propertyOf(source, name)]),
        )
      },
    ),
  ),
]

/** What each constructor takes beside coordinates and projection. */
const OF_LINES = 'geodesic?:Boolean, maxError?:ErrorMargin'
const CONSTRUCTORS: Readonly<Record<string, string>> = {
  Point: 'coordinates:List<Number>, crs?:Projection',
  MultiPoint: 'coordinates:List<Object>, crs?:Projection',
  LineString: `coordinates:List<Object>, crs?:Projection, ${OF_LINES}`,
  MultiLineString: `coordinates:List<Object>, crs?:Projection, ${OF_LINES}`,
  Polygon: `coordinates:List<Object>, crs?:Projection, ${OF_LINES}, evenOdd?:Boolean=true`,
  MultiPolygon: `coordinates:List<Object>, crs?:Projection, ${OF_LINES}, evenOdd?:Boolean=true`,
}

function geometryConstructor([type, parameters]: readonly [string, string]): Algorithm {
  return algorithm(`GeometryConstructors.${type}(${parameters}):Geometry`, `A geometry of type ${type}.`, (args) => {
    checkProjection(args, type)
    return geometry(makeShape(type, args.list('coordinates')))
  })
}

function checkProjection(args: Args, type: string): void {
  if (args.given('crs') && !isLongitudeLatitude(args.any('crs')))
    throw badRequest(`GeometryConstructors.${type}: This server knows geometries in EPSG:4326 only.`)
}

const isLongitudeLatitude = (crs: Value) =>
  crs === 'EPSG:4326' ||
  (typeof crs === 'object' && crs !== null && 'kind' in crs && crs.kind === 'projection' && crs.crs === 'EPSG:4326')

function projection(args: Args): Value {
  if (args.given('transform') && args.given('transformWkt'))
    throw badRequest("Projection: May not specify both 'transform' and 'transformWkt'.")
  if (args.given('transformWkt') || (args.given('transform') && args.list('transform').join() !== '1,0,0,0,1,0'))
    throw badRequest('Projection: This server knows projections without a transform only.')
  return { kind: 'projection', crs: args.text('crs') }
}

function rectangle(args: Args): Value {
  checkProjection(args, 'Rectangle')
  const numbers = args.list('coordinates').flat(2).map(Number)
  const [xs, ys] = [numbers.filter((_, i) => i % 2 === 0), numbers.filter((_, i) => i % 2 === 1)]
  if (numbers.length < 4 || numbers.some(Number.isNaN))
    throw badRequest('GeometryConstructors.Rectangle: Invalid GeoJSON coordinates.')
  return boxGeometry([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)])
}

const mean = (values: readonly number[]) =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length

export const BASICS: readonly Algorithm[] = [
  ...ELEMENTS,
  algorithm(
    'Feature(geometry?:Geometry, metadata?:Dictionary={}, geometryKey?:String):Feature',
    'A feature with a geometry and properties.',
    (args) => {
      const given = args.any('geometry')
      // The client casts any element to a feature by calling this with the element alone.
      if (
        typeof given === 'object' &&
        given !== null &&
        'kind' in given &&
        (given.kind === 'image' || given.kind === 'feature') &&
        !args.given('metadata')
      )
        return given
      return {
        kind: 'feature',
        id: null,
        geometry: args.given('geometry') ? args.geometry('geometry') : null,
        properties: args.given('metadata') ? args.dictionary('metadata') : new Map(),
      }
    },
  ),
  algorithm(
    'Element.geometry(feature:Element, maxError?:ErrorMargin, proj?:Projection, geodesics?:Boolean):Geometry',
    'The geometry of an element.',
    (args) => geometryOf(args.element('feature')),
  ),
  algorithm(
    'Feature.geometry(feature:Element, maxError?:ErrorMargin, proj?:Projection, geodesics?:Boolean):Geometry',
    'The geometry of a feature.',
    (args) => geometryOf(args.element('feature')),
  ),
  ...Object.entries(CONSTRUCTORS).map(geometryConstructor),
  algorithm(
    'Projection(crs:Object, transform?:List<Object>, transformWkt?:String):Projection',
    'A coordinate reference system.',
    projection,
  ),
  algorithm('ErrorMargin(value?:Float, unit?:String="meters"):ErrorMargin', 'A margin of error.', (args) => {
    const unit = args.text('unit')
    if (!['meters', 'projected', 'infinite'].includes(unit)) throw badRequest(`ErrorMargin: Unknown unit '${unit}'.`)
    return { kind: 'errorMargin', value: args.given('value') ? args.number('value') : 0, unit }
  }),
  algorithm(
    'GeometryConstructors.Rectangle(coordinates:List<Object>, crs?:Projection, geodesic?:Boolean, evenOdd?:Boolean=true):Geometry',
    'A box.',
    rectangle,
  ),
  algorithm('GeometryConstructors.BBox(west:Float, south:Float, east:Float, north:Float):Geometry', 'A box.', (args) =>
    boxGeometry([args.number('west'), args.number('south'), args.number('east'), args.number('north')]),
  ),
  algorithm(
    'Geometry.bounds(geometry:Geometry, maxError?:ErrorMargin, proj?:Projection):Geometry',
    'The box round a geometry.',
    (args) => boxGeometry(shapeBox(args.geometry('geometry').shape)),
  ),
  algorithm(
    'Geometry.coordinates(geometry:Geometry):List<Object>',
    "A geometry's coordinates as GeoJSON has them.",
    (args) => args.geometry('geometry').shape.coordinates as Value,
  ),
  algorithm(
    'Geometry.type(geometry:Geometry):String',
    "A geometry's GeoJSON type.",
    (args) => args.geometry('geometry').shape.type,
  ),
  algorithm(
    'Geometry.intersects(left:Geometry, right:Geometry, maxError?:ErrorMargin, proj?:Projection):Boolean',
    'Whether two geometries meet.',
    (args) => shapesIntersect(args.geometry('left').shape, args.geometry('right').shape),
  ),
  algorithm(
    'Date(value:Object, timeZone?:String):Date',
    'A time, from a text, a number of milliseconds or a date.',
    (args) => ({ kind: 'date', ms: args.date('value') }),
  ),
  algorithm('Date.millis(date:Date):Long', 'Milliseconds since 1970 UTC.', (args) => args.date('date')),
  algorithm(
    'Date.get(date:Date, unit:String, timeZone?:String):Long',
    'A part of a time: year, month, day, hour or minute.',
    (args) => {
      const date = new Date(args.date('date'))
      const parts: Readonly<Record<string, number>> = {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
      }
      const part = Object.hasOwn(parts, args.text('unit')) ? parts[args.text('unit')] : undefined
      if (part === undefined) throw badRequest(`Date.get: Unknown unit '${args.text('unit')}'.`)
      return part
    },
  ),
  algorithm(
    'DateRange(start:Object, end?:Object, timeZone?:String):DateRange',
    'From a time to before another; without an end, one millisecond.',
    (args) => {
      const start = args.date('start')
      return { kind: 'dateRange', start, end: args.given('end') ? args.date('end') : start + 1 }
    },
  ),
  algorithm(
    'Reducer.toList(tupleSize?:Integer, numOptional?:Integer=0):Reducer',
    'Collects its inputs into a list of tuples; a tuple that lacks an input that is not optional is dropped.',
    toList,
  ),
  extreme('min', smaller),
  extreme('max', larger),
  single('sum', (values) => values.reduce((a, b) => a + b, 0)),
  single('mean', mean),
  single('count', (values) => values.length),
  single('first', (values) => values[0] ?? null),
  single('allNonZero', (values) => Number(values.every((value) => value !== 0))),
  single('anyNonZero', (values) => Number(values.some((value) => value !== 0))),
  algorithm(
    'List.get(list:List<Object>, index:Integer):Object',
    'The element at an index; negative ones count from the end.',
    (args) => {
      const [list, index] = [args.list('list'), args.number('index')]
      const at = index < 0 ? list.length + index : index
      if (at < 0 || at >= list.length)
        throw badRequest(
          `List.get: List index must be between 0 and ${list.length - 1}, or -1 and -${list.length}. Found ${index}.`,
        )
      return list[at]!
    },
  ),
  algorithm('List.length(list:List<Object>):Integer', 'The number of elements.', (args) => args.list('list').length),
  algorithm('List.size(list:List<Object>):Integer', 'The number of elements.', (args) => args.list('list').length),
  algorithm('List.cat(list:List<Object>, other:List<Object>):List<Object>', 'One list after the other.', (args) => [
    ...args.list('list'),
    ...args.list('other'),
  ]),
  algorithm(
    'List.slice(list:List<Object>, start:Integer, end?:Integer, step?:Integer):List<Object>',
    'Part of a list, or every so many of its elements.',
    (args) => {
      const step = args.given('step') ? args.number('step') : 1
      if (!Number.isInteger(step) || step < 1) throw badRequest(`List.slice: Step must be positive; got ${step}.`)
      const part = args.list('list').slice(args.number('start'), args.given('end') ? args.number('end') : undefined)
      return part.filter((_, i) => i % step === 0)
    },
  ),
  algorithm(
    'List.map(list:List<Object>, baseAlgorithm:Algorithm, dropNulls?:Boolean=false):List<Object>',
    'Applies a function to every element.',
    (args) => {
      const apply = args.function('baseAlgorithm')
      const results = args.list('list').map((item) => apply.call([item]))
      return args.truth('dropNulls') ? results.filter((item) => item !== null) : results
    },
  ),
  algorithm('Dictionary(input?:Object):Dictionary', 'A dictionary.', (args) => {
    const input = args.any('input')
    return input === null ? new Map() : isMap(input) ? input : pairs(args.list('input'))
  }),
  algorithm(
    'Dictionary.get(dictionary:Dictionary, key:String, defaultValue?:Object):Object',
    'The value of a key.',
    (args) => {
      const [dictionary, key] = [args.dictionary('dictionary'), args.text('key')]
      const found = dictionary.get(key) ?? args.any('defaultValue')
      if (found === null && !dictionary.has(key))
        throw badRequest(`Dictionary.get: Dictionary does not contain key: '${key}'.`)
      return found
    },
  ),
  algorithm(
    'Dictionary.set(dictionary:Dictionary, key:String, value:Object):Dictionary',
    'Sets a value.',
    (args) => new Map([...args.dictionary('dictionary'), [args.text('key'), args.any('value')]]),
  ),
  algorithm('Dictionary.keys(dictionary:Dictionary):List<String>', 'The keys, sorted.', (args) =>
    [...args.dictionary('dictionary').keys()].sort(),
  ),
  algorithm('Number.parse(input:String, radix?:Integer=10):Number', 'The number in a text.', (args) => {
    const value = Number(args.text('input'))
    if (Number.isNaN(value)) throw badRequest(`Number.parse: Cannot parse '${args.text('input')}'.`)
    return value
  }),
  ...(
    [
      ['add', (a: number, b: number) => a + b],
      ['subtract', (a: number, b: number) => a - b],
      ['multiply', (a: number, b: number) => a * b],
      ['divide', (a: number, b: number) => (b === 0 ? 0 : a / b)],
    ] as const
  ).map(([name, apply]) =>
    algorithm(`Number.${name}(left:Number, right:Number):Number`, `left ${name} right.`, (args) =>
      apply(args.number('left'), args.number('right')),
    ),
  ),
  algorithm('String(input:Object):String', 'A text.', (args) => {
    const input = args.any('input')
    return typeof input === 'number' ? String(input) : args.text('input')
  }),
  algorithm(
    'String.cat(string1:String, string2:String):String',
    'One text after the other.',
    (args) => args.text('string1') + args.text('string2'),
  ),
]

/** A dictionary written as a list of keys and values in turn. */
function pairs(list: readonly Value[]): ReadonlyMap<string, Value> {
  return new Map(list.filter((_, i) => i % 2 === 0).map((key, i) => [String(key), list[2 * i + 1] ?? null]))
}
