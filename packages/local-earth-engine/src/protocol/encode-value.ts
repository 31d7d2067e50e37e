import { METRES_PER_DEGREE_LONGITUDE } from '@skyscript/core'
import { badRequest } from './api-error.ts'
import type { Band } from './band.ts'
import { readElements } from './functions/collections.ts'
import { type CollectionValue, type ElementValue, geometryOf, isMap, typeName, type Value } from './values.ts'

/** The `result` of `value:compute`: numbers, texts, lists and dictionaries as JSON, objects as Earth Engine writes them. */
export function encodeValue(value: Value): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (Array.isArray(value)) return value.map(encodeValue)
  if (isMap(value)) return properties(value)
  const tagged = value as Exclude<typeof value, readonly Value[]>
  switch (tagged.kind) {
    case 'image':
    case 'feature':
      return encodeElement(tagged)
    case 'collection':
      return encodeCollection(tagged)
    case 'geometry':
      return tagged.shape
    case 'date':
      return { type: 'Date', value: tagged.ms }
    case 'dateRange':
      return { type: 'DateRange', dates: [tagged.start, tagged.end] }
    case 'pixelType':
      return { type: 'PixelType', precision: tagged.precision, min: finite(tagged.min), max: finite(tagged.max) }
    default:
      throw badRequest(`Object of type ${typeName(value)} can't be the result of a computation.`)
  }
}

const finite = (value: number) => (Number.isFinite(value) ? value : undefined)

function properties(map: ReadonlyMap<string, Value>): Record<string, unknown> {
  return Object.fromEntries([...map].map(([key, value]) => [key, encodeValue(value)]))
}

/** `system:index` and the like are kept; what the reader gets elsewhere is not repeated. */
function encodeElement(element: ElementValue): unknown {
  if (element.kind === 'image') {
    return {
      type: 'Image',
      bands: element.bands.map(encodeBand),
      ...(element.id !== null && { id: element.id }),
      properties: properties(element.properties),
    }
  }
  const geometry = geometryOf(element)
  const index = element.id ?? element.properties.get('system:index')
  return {
    type: 'Feature',
    geometry: geometry && encodeValue(geometry),
    ...(typeof index === 'string' && { id: index }),
    properties: properties(element.properties),
  }
}

function encodeBand({ name, type, gsd }: Band): unknown {
  const degrees = gsd / METRES_PER_DEGREE_LONGITUDE
  return {
    id: name,
    data_type: encodeValue(type),
    crs: 'EPSG:4326',
    crs_transform: [degrees, 0, 0, 0, -degrees, 0],
  }
}

function encodeCollection(collection: CollectionValue): unknown {
  return {
    type: collection.of,
    ...(collection.id !== null && { id: collection.id }),
    properties: properties(collection.properties),
    ...(collection.of === 'ImageCollection' && { bands: [] }),
    features: readElements(collection).map(encodeElement),
  }
}
