import type { Box } from '@skyscript/core'
import { type Algorithm, type Args, algorithm } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import { mosaic } from '../mosaic.ts'
import { boxGeometry, shapeBox } from '../shapes.ts'
import {
  type CollectionValue,
  type ElementValue,
  EVERYTHING,
  geometryOf,
  type ImageValue,
  propertyOf,
  type Search,
  type Value,
} from '../values.ts'
import { compare } from './filters.ts'

/** Earth Engine gives up on a collection read out whole beyond this. */
export const MAX_ELEMENTS = 5000

export function collectionOf(
  of: CollectionValue['of'],
  elements: (search: Search) => Iterable<ElementValue>,
  from?: CollectionValue,
): CollectionValue {
  return { kind: 'collection', of, id: from?.id ?? null, properties: from?.properties ?? new Map(), elements }
}

/** All elements, for what must hold them at once. */
export function read(collection: CollectionValue): ElementValue[] {
  const elements: ElementValue[] = []
  for (const element of collection.elements(EVERYTHING)) {
    elements.push(element)
    if (elements.length > MAX_ELEMENTS)
      throw badRequest(`Collection query aborted after accumulating over ${MAX_ELEMENTS} elements.`)
  }
  return elements
}

function first(collection: CollectionValue): ElementValue | null {
  for (const element of collection.elements(EVERYTHING)) return element
  return null
}

function bound(a: Search, b: Search): Search {
  return { boxes: [...a.boxes, ...b.boxes], from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) }
}

function limited(args: Args): CollectionValue {
  const source = args.collection('collection')
  const count = args.given('limit') ? args.number('limit') : Infinity
  if (!args.given('key')) {
    return collectionOf(source.of, (search) => take(source.elements(search), count), source)
  }
  const key = args.text('key')
  const sign = args.truth('ascending') ? 1 : -1
  return collectionOf(
    source.of,
    () => {
      const keyed = read(source).map((element) => ({ element, value: propertyOf(element, key) }))
      // Elements without the property come last either way.
      keyed.sort((a, b) => {
        if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null)
        return sign * (compare(a.value, b.value) ?? 0)
      })
      return keyed.slice(0, count).map(({ element }) => element)
    },
    source,
  )
}

function* take(elements: Iterable<ElementValue>, count: number): Generator<ElementValue> {
  let taken = 0
  if (count <= 0) return
  for (const element of elements) {
    yield element
    if (++taken >= count) return
  }
}

function isElement(value: Value): value is ElementValue {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    (value.kind === 'image' || value.kind === 'feature')
  )
}

function mapped(args: Args): CollectionValue {
  const source = args.collection('collection')
  const apply = args.function('baseAlgorithm')
  const dropNulls = args.truth('dropNulls')
  return collectionOf(
    source.of,
    function* () {
      for (const element of source.elements(EVERYTHING)) {
        const result = apply.call([element])
        if (isElement(result))
          yield result.kind === 'feature' && result.id === null ? { ...result, id: element.id } : result
        else if (result !== null || !dropNulls)
          throw badRequest('Collection.map: A mapped algorithm must return a Feature or Image.')
      }
    },
    source,
  )
}

function rowsOf(args: Args): Value[][] {
  const selectors = args.texts('selectors')
  return read(args.collection('collection')).map((element) => selectors.map((name) => propertyOf(element, name)))
}

const values = (args: Args): Exclude<Value, null>[] => {
  const property = args.text('property')
  return read(args.collection('collection'))
    .map((element) => propertyOf(element, property))
    .filter((value) => value !== null)
}

function elementsOfList(args: Args, name: string, of: CollectionValue['of']): CollectionValue {
  const given = args.any(name)
  const list = Array.isArray(given) ? (given as readonly Value[]) : [given]
  const elements = list.map((item) => {
    if (isElement(item)) return item
    throw badRequest(`${of}, argument '${name}': Invalid type.\nExpected type: List<Element>.`)
  })
  return collectionOf(of, () => elements)
}

const isImage = (element: ElementValue): element is ImageValue => element.kind === 'image'

export const COLLECTIONS: readonly Algorithm[] = [
  algorithm(
    'ImageCollection.load(id:String, version?:Long):ImageCollection',
    'The image collection with an id.',
    (args, { catalogue }) => catalogue.loadCollection(args.text('id')),
  ),
  algorithm('ImageCollection.fromImages(images:List<Image>):ImageCollection', 'A collection of images.', (args) =>
    elementsOfList(args, 'images', 'ImageCollection'),
  ),
  algorithm('Collection(features:List<Element>):FeatureCollection', 'A collection of features.', (args) =>
    elementsOfList(args, 'features', 'FeatureCollection'),
  ),
  algorithm(
    'Collection.filter(collection:FeatureCollection, filter:Object):FeatureCollection',
    'What passes a filter.',
    (args) => {
      const [source, filter] = [args.collection('collection'), args.filter('filter')]
      return collectionOf(
        source.of,
        function* (search) {
          for (const element of source.elements(bound(search, filter.search))) if (filter.passes(element)) yield element
        },
        source,
      )
    },
  ),
  algorithm(
    'Collection.limit(collection:FeatureCollection, limit?:Integer, key?:String, ascending?:Boolean=true):FeatureCollection',
    'The first elements, ordered by a property if one is named.',
    limited,
  ),
  algorithm(
    'Collection.map(collection:FeatureCollection, baseAlgorithm:Algorithm, dropNulls?:Boolean=false):FeatureCollection',
    'Applies a function to every element.',
    mapped,
  ),
  algorithm('Collection.first(collection:FeatureCollection):Element', 'The first element, or null.', (args) =>
    first(args.collection('collection')),
  ),
  algorithm('Collection.size(collection:FeatureCollection):Integer', 'The number of elements.', (args) => {
    let count = 0
    for (const _ of args.collection('collection').elements(EVERYTHING)) count++
    return count
  }),
  algorithm(
    'Collection.toList(collection:FeatureCollection, count:Integer, offset?:Integer=0):List<Object>',
    'Elements as a list.',
    (args) => {
      const [count, offset] = [args.number('count'), args.number('offset')]
      return [...take(args.collection('collection').elements(EVERYTHING), offset + count)].slice(offset)
    },
  ),
  algorithm(
    'Collection.merge(collection1:FeatureCollection, collection2:FeatureCollection):FeatureCollection',
    'The elements of both.',
    (args) => {
      const [a, b] = [args.collection('collection1'), args.collection('collection2')]
      return collectionOf(a.of, function* (search) {
        yield* a.elements(search)
        yield* b.elements(search)
      })
    },
  ),
  algorithm(
    'Collection.geometry(collection:FeatureCollection, maxError?:ErrorMargin={"type":"ErrorMargin","unit":"meters","value":0}):Geometry',
    'The box round the geometries of all elements.',
    (args) => {
      const shapes = read(args.collection('collection')).flatMap((element) => geometryOf(element)?.shape ?? [])
      const box: Box = [Infinity, Infinity, -Infinity, -Infinity]
      for (const [west, south, east, north] of shapes.map(shapeBox)) {
        box[0] = Math.min(box[0], west)
        box[1] = Math.min(box[1], south)
        box[2] = Math.max(box[2], east)
        box[3] = Math.max(box[3], north)
      }
      return boxGeometry(box)
    },
  ),
  algorithm(
    'Collection.reduceColumns(collection:FeatureCollection, reducer:Reducer, selectors:List<String>, weightSelectors?:List<String>):Dictionary',
    'Applies a reducer to the properties of all elements.',
    (args) => {
      const reducer = args.reducer('reducer')
      const rows = rowsOf(args)
      if (rows.some((row) => row.length !== reducer.inputs))
        throw badRequest(`Collection.reduceColumns: Need ${reducer.inputs} selectors for Reducer.${reducer.name}.`)
      return reducer.over(rows)
    },
  ),
  algorithm(
    'AggregateFeatureCollection.array(collection:FeatureCollection, property:String):List<Object>',
    'The values of a property that are not null.',
    values,
  ),
  algorithm(
    'AggregateFeatureCollection.count(collection:FeatureCollection, property:String):Number',
    'How many elements have a property.',
    (args) => values(args).length,
  ),
  algorithm(
    'AggregateFeatureCollection.first(collection:FeatureCollection, property:String):<any>',
    'The value of a property of the first element.',
    (args) => {
      const element = first(args.collection('collection'))
      return element && propertyOf(element, args.text('property'))
    },
  ),
  ...(['min', 'max'] as const).map((name) =>
    algorithm(
      `AggregateFeatureCollection.${name}(collection:FeatureCollection, property:String):<any>`,
      `The ${name} of a property's values.`,
      (args) => {
        const numbers = values(args).filter((value) => typeof value === 'number')
        return numbers.length === 0 ? null : numbers.reduce((a, b) => Math[name](a, b))
      },
    ),
  ),
  algorithm('ImageCollection.mosaic(collection:ImageCollection):Image', 'The last image on top.', (args) =>
    mosaic(read(args.collection('collection')).filter(isImage)),
  ),
]
