import type { Args, Run } from '../algorithm.ts'
import { type ElementValue, geometryOf, isElement, isKind, propertyOf, type Value, withProperties } from '../values.ts'

/** The names that are asked for, else those of all properties but Earth Engine's own. */
function namesOf(args: Args, element: ElementValue): string[] {
  if (args.given('properties')) return args.texts('properties')
  return [...element.properties.keys()].filter((name) => !name.startsWith('system:'))
}

function copyProperties(args: Args): Value {
  const [target, source] = [args.element('destination'), args.element('source')]
  const wanted = namesOf(args, source)
  const excluded = args.given('exclude') ? args.texts('exclude') : []
  const copied = wanted.filter((name) => !excluded.includes(name))
  return withProperties(
    target,
    copied.map((name) => [name, propertyOf(source, name)]),
  )
}

function feature(args: Args): Value {
  const given = args.any('geometry')
  // The client casts any element to a feature by calling this with only the element.
  if (isElement(given) && !args.given('metadata')) return given
  return {
    kind: 'feature',
    id: null,
    geometry: args.given('geometry') ? args.geometry('geometry') : null,
    properties: args.given('metadata') ? args.dictionary('metadata') : new Map(),
  }
}

const geometryOfFeature: Run = (args) => geometryOf(args.element('feature'))

/** Properties of images and features. */
export const ELEMENTS: Readonly<Record<string, Run>> = {
  'Element.set': (args) => withProperties(args.element('object'), [[args.text('key'), args.any('value')]]),
  'Element.setMulti': (args) => withProperties(args.element('object'), args.dictionary('properties')),
  'Element.get'(args) {
    const object = args.any('object')
    return propertyOf(isKind(object, 'collection') ? object : args.element('object'), args.text('property'))
  },
  'Element.toDictionary'(args) {
    const element = args.element('element')
    return new Map(namesOf(args, element).map((name) => [name, propertyOf(element, name)]))
  },
  'Element.propertyNames': (args) => [...args.element('element').properties.keys()],
  'Element.copyProperties': copyProperties,
  'Image.copyProperties': copyProperties,
  'Element.geometry': geometryOfFeature,
  'Feature.geometry': geometryOfFeature,
  Feature: feature,
}
