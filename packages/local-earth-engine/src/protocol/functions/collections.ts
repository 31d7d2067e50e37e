import { isScene, publicId } from '../../catalogue/catalogue.ts'
import type { Scene, SceneSource } from '../../catalogue/scene.ts'
import type { Args, Context, Run } from '../algorithm.ts'
import { badRequest, loadNotFound } from '../api-error.ts'
import { mosaic } from '../mosaic.ts'
import { imageOf, scenesOf } from '../scenes.ts'
import { boxGeometry, boxOfShapes } from '../shapes.ts'
import {
  type CollectionValue,
  type ElementValue,
  EVERYTHING,
  geometryOf,
  type ImageValue,
  isElement,
  propertyOf,
  type Search,
  type Value,
} from '../values.ts'
import { compare } from './filters.ts'

/** Earth Engine gives up on a collection read out whole beyond this. */
const MAX_ELEMENTS = 5000

function collectionOf(
  of: CollectionValue['of'],
  elements: (search: Search) => Iterable<ElementValue>,
  from?: CollectionValue,
): CollectionValue {
  return { kind: 'collection', of, id: from?.id ?? null, properties: from?.properties ?? new Map(), elements }
}

/**
 * All elements, for what must hold them at once.
 *
 * @throws ApiError 400 where there are more than Earth Engine reads out
 */
export function readElements(collection: CollectionValue): ElementValue[] {
  const elements: ElementValue[] = []
  for (const element of collection.elements(EVERYTHING)) {
    if (elements.length === MAX_ELEMENTS)
      throw badRequest(`Collection query aborted after accumulating over ${MAX_ELEMENTS} elements.`)
    elements.push(element)
  }
  return elements
}

/** The scene or the source with an id, unless it isn't shared. */
function found(id: string, { catalogue }: Context): Scene | SceneSource | null {
  return catalogue.isDenied(publicId(id)) ? null : catalogue.find(publicId(id))
}

function loadCollection(args: Args, context: Context): CollectionValue {
  const id = args.text('id')
  const source = found(id, context)
  if (source === null) throw loadNotFound('ImageCollection.load: ImageCollection asset', id)
  if (isScene(source)) throw badRequest(`ImageCollection.load: Asset '${id}' is not an ImageCollection.`)
  return {
    kind: 'collection',
    of: 'ImageCollection',
    id: source.id,
    properties: new Map([['title', source.title]]),
    *elements(search) {
      for (const scene of scenesOf(source, search)) yield imageOf(scene, context.painter)
    },
  }
}

function loadImage(args: Args, context: Context): ImageValue {
  const id = args.text('id')
  const scene = found(id, context)
  if (scene === null) throw loadNotFound('Image.load: Image asset', id)
  if (!isScene(scene)) throw badRequest(`Image.load: Asset '${id}' is not an Image.`)
  return imageOf(scene, context.painter)
}

function* take(elements: Iterable<ElementValue>, count: number): Generator<ElementValue> {
  let taken = 0
  if (count <= 0) return
  for (const element of elements) {
    yield element
    if (++taken >= count) return
  }
}

const all = (args: Args): Iterable<ElementValue> => args.collection('collection').elements(EVERYTHING)

const first = (args: Args): ElementValue | null => [...take(all(args), 1)][0] ?? null

function filtered(args: Args): CollectionValue {
  const [source, filter] = [args.collection('collection'), args.filter('filter')]
  const bound = ({ boxes, from, to }: Search): Search => ({
    boxes: [...boxes, ...filter.search.boxes],
    from: Math.max(from, filter.search.from),
    to: Math.min(to, filter.search.to),
  })
  return collectionOf(
    source.of,
    function* (search) {
      for (const element of source.elements(bound(search))) if (filter.passes(element)) yield element
    },
    source,
  )
}

function limited(args: Args): CollectionValue {
  const source = args.collection('collection')
  const count = args.given('limit') ? args.number('limit') : Infinity
  if (!args.given('key')) return collectionOf(source.of, (search) => take(source.elements(search), count), source)
  const key = args.text('key')
  const sign = args.truth('ascending') ? 1 : -1
  const sorted = () => {
    const keyed = readElements(source).map((element) => ({ element, value: propertyOf(element, key) }))
    // Elements without the property come last either way.
    keyed.sort((a, b) => {
      if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null)
      return sign * (compare(a.value, b.value) ?? 0)
    })
    return keyed.slice(0, count).map(({ element }) => element)
  }
  return collectionOf(source.of, sorted, source)
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

function merged(args: Args): CollectionValue {
  const [a, b] = [args.collection('collection1'), args.collection('collection2')]
  return collectionOf(a.of, function* (search) {
    yield* a.elements(search)
    yield* b.elements(search)
  })
}

/** The values of a property that are not null. */
function valuesOf(args: Args): Value[] {
  const property = args.text('property')
  return readElements(args.collection('collection'))
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

function boxOfAll(args: Args): Value {
  const shapes = readElements(args.collection('collection')).flatMap((element) => geometryOf(element)?.shape ?? [])
  return boxGeometry(boxOfShapes(shapes))
}

function reduceColumns(args: Args): Value {
  const reducer = args.reducer('reducer')
  const selectors = args.texts('selectors')
  const elements = readElements(args.collection('collection'))
  if (elements.length > 0 && selectors.length !== reducer.inputs)
    throw badRequest(`Collection.reduceColumns: Need ${reducer.inputs} selectors for Reducer.${reducer.name}.`)
  return reducer.over(elements.map((element) => selectors.map((name) => propertyOf(element, name))))
}

const extreme =
  (name: 'min' | 'max'): Run =>
  (args) => {
    const numbers = valuesOf(args).filter((value) => typeof value === 'number')
    return numbers.length === 0 ? null : numbers.reduce((a, b) => Math[name](a, b))
  }

/** Images and features in order. */
export const COLLECTIONS: Readonly<Record<string, Run>> = {
  'ImageCollection.load': loadCollection,
  'Image.load': loadImage,
  'ImageCollection.fromImages': (args) => elementsOfList(args, 'images', 'ImageCollection'),
  Collection: (args) => elementsOfList(args, 'features', 'FeatureCollection'),
  'Collection.filter': filtered,
  'Collection.limit': limited,
  'Collection.map': mapped,
  'Collection.merge': merged,
  'Collection.first': first,
  'Collection.size'(args) {
    let count = 0
    for (const _ of all(args)) count++
    return count
  },
  'Collection.toList'(args) {
    const [count, offset] = [args.number('count'), args.number('offset')]
    return [...take(all(args), offset + count)].slice(offset)
  },
  'Collection.geometry': boxOfAll,
  'Collection.reduceColumns': reduceColumns,
  'AggregateFeatureCollection.array': valuesOf,
  'AggregateFeatureCollection.count': (args) => valuesOf(args).length,
  'AggregateFeatureCollection.first'(args) {
    const element = first(args)
    return element && propertyOf(element, args.text('property'))
  },
  'AggregateFeatureCollection.min': extreme('min'),
  'AggregateFeatureCollection.max': extreme('max'),
  'ImageCollection.mosaic': (args) =>
    mosaic(readElements(args.collection('collection')).filter((element) => element.kind === 'image')),
}
