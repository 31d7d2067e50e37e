import type { Box, Geometry } from '@skyscript/core'
import { geometryMeetsBox } from '@skyscript/core'
import { shippedSource } from '@skyscript/core/config'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { coveredBy, mayCover, middleOf } from './coverage.ts'
import { SOURCES, sourcesOf } from './sources/sources.ts'

const square = (west: number, south: number, side: number) => [
  [
    [west, south],
    [west + side, south],
    [west + side, south + side],
    [west, south + side],
    [west, south],
  ] as [number, number][],
]

test('an outline decides as the geometry does, for boxes inside, outside and at its edge, within and across map tiles', () => {
  const outline: Extract<Geometry, { type: 'MultiPolygon' }> = {
    type: 'MultiPolygon',
    coordinates: [square(7.03, 46.51, 0.33), square(7.5, 46.9, 0.04)],
  }
  const source = { extent: [7.03, 46.51, 7.54, 46.94] as Box, outline }
  const degrees = (from: number, to: number) => fc.double({ min: from, max: to, noNaN: true })
  fc.assert(
    fc.property(degrees(6.9, 7.7), degrees(46.4, 47), degrees(0, 0.15), degrees(0, 0.15), (west, south, w, h) => {
      const box: Box = [west, south, west + w, south + h]
      expect(mayCover(source, box)).toBe(geometryMeetsBox(outline, box))
    }),
  )
})

test("PNOA is not used in Portugal, which its extent's box holds, and is used all over Spain", () => {
  const at = (longitude: number, latitude: number) =>
    mayCover(SOURCES.ES, [longitude, latitude, longitude + 0.001, latitude + 0.001])
  for (const [name, longitude, latitude] of [
    ['Porto', -8.61, 41.15],
    ['Lisbon', -9.14, 38.72],
    ['Faro', -7.93, 37.02],
    ['Coimbra', -8.43, 40.21],
  ] as const)
    expect(at(longitude, latitude), name).toBe(false)
  for (const [name, longitude, latitude] of [
    ['Vigo', -8.72, 42.24],
    ['Tui', -8.64, 42.05],
    ['Badajoz', -6.97, 38.88],
    ['Ayamonte', -7.41, 37.21],
    ['Irun', -1.79, 43.34],
    ['Barcelona', 2.17, 41.39],
    ['Port Bou', 3.16, 42.43],
    ['Maó', 4.26, 39.89],
    ['Andorra', 1.52, 42.5],
    ['Fermoselle', -6.4, 41.32],
    ['Valencia de Alcántara', -7.24, 39.41],
    ['Verín', -7.44, 41.94],
  ] as const)
    expect(at(longitude, latitude), name).toBe(true)
})

test('the middle of an outline is that of its largest part, not of the sea between the parts', () => {
  const outline = { type: 'MultiPolygon' as const, coordinates: [square(-60, 15, 1), square(0, 45, 4)] }
  expect(middleOf({ extent: [-60, 15, 4, 49], outline })).toEqual([2, 47])
  expect(middleOf({ extent: [0, 0, 2, 2] })).toEqual([1, 1])
})

test('islands on the other side of 180 degrees belong to an extent', () => {
  const islands = coveredBy({ type: 'MultiPolygon', coordinates: [square(166, -47, 12), square(-177, -44, 1)] })
  expect(mayCover(islands, [-176.5, -43.9, -176.4, -43.8])).toBe(true)
  expect(mayCover(islands, [170, -44, 170.1, -43.9])).toBe(true)
  expect(mayCover(islands, [0, -44, 0.1, -43.9])).toBe(false)
})

test("services of Portugal and France keep to their own side of the borders that Spain's outline follows", () => {
  const covers = (alias: string, longitude: number, latitude: number) =>
    mayCover(sourcesOf([shippedSource(alias)])[0]!, [longitude, latitude, longitude, latitude])
  for (const [
    longitude,
    latitude,
  ] of [[-8.61, 41.15], [-7.93, 37.02], [-6.76, 41.81], [-7.16, 38.88], [-8.26, 42.11]] as const) // biome-ignore format: places
    expect(covers('PTDGT23', longitude, latitude)).toBe(true)
  for (const [longitude, latitude] of [
    [-8.72, 42.24],
    [-6.0, 37.4],
    [-5.66, 40.97],
    [-6.37, 39.47],
  ] as const)
    expect(covers('PTDGT23', longitude, latitude)).toBe(false)
  for (const [
    longitude,
    latitude,
  ] of [[2.35, 48.86], [7.42, 43.73], [9.45, 42.7], [-4.49, 48.39], [7.75, 48.58], [3.06, 50.63], [55.45, -20.88], [-61.53, 16.24], [6.13, 46.19]] as const) // biome-ignore format: places
    expect(covers('FRIGN', longitude, latitude)).toBe(true)
  for (const [
    longitude,
    latitude,
  ] of [[-0.13, 51.5], [2.17, 41.39], [8.68, 50.11], [7.45, 46.95], [9.19, 45.46], [13.4, 52.52]] as const) // biome-ignore format: places
    expect(covers('FRIGN', longitude, latitude)).toBe(false)
})
