import type { Args, Run } from '../algorithm.ts'
import { badRequest } from '../api-error.ts'
import { boxGeometry, geometry, makeShape, SHAPES, shapeBox, shapesIntersect } from '../shapes.ts'
import { isKind, type Value } from '../values.ts'

const constructorOf =
  (type: string): Run =>
  (args) => {
    checkProjection(args, type)
    return geometry(makeShape(type, args.list('coordinates')))
  }

function checkProjection(args: Args, type: string): void {
  const crs = args.any('crs')
  if (crs !== null && crs !== 'EPSG:4326' && !(isKind(crs, 'projection') && crs.crs === 'EPSG:4326'))
    throw badRequest(`GeometryConstructors.${type}: This server knows geometries in EPSG:4326 only.`)
}

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

/** Geometries and how they are made. */
export const GEOMETRIES: Readonly<Record<string, Run>> = {
  ...Object.fromEntries(SHAPES.map((type) => [`GeometryConstructors.${type}`, constructorOf(type)])),
  'GeometryConstructors.Rectangle': rectangle,
  'GeometryConstructors.BBox': (args) =>
    boxGeometry([args.number('west'), args.number('south'), args.number('east'), args.number('north')]),
  Projection: projection,
  ErrorMargin(args) {
    const unit = args.text('unit')
    if (!['meters', 'projected', 'infinite'].includes(unit)) throw badRequest(`ErrorMargin: Unknown unit '${unit}'.`)
    return { kind: 'errorMargin', value: args.given('value') ? args.number('value') : 0, unit }
  },
  'Geometry.bounds': (args) => boxGeometry(shapeBox(args.geometry('geometry').shape)),
  'Geometry.coordinates': (args) => args.geometry('geometry').shape.coordinates as Value,
  'Geometry.type': (args) => args.geometry('geometry').shape.type,
  'Geometry.intersects': (args) => shapesIntersect(args.geometry('left').shape, args.geometry('right').shape),
}
