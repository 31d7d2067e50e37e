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

/** Places near the borders of a service's country or state. */
const BORDERS: Readonly<Record<string, { readonly inside: string; readonly outside: string }>> = {
  PTDGT23: {
    inside: '-8.61,41.15 -7.93,37.02 -6.76,41.81 -7.16,38.88 -8.26,42.11',
    outside: '-8.72,42.24 -6,37.4 -5.66,40.97 -6.37,39.47',
  },
  FRIGN: {
    inside: '2.35,48.86 7.42,43.73 9.45,42.7 -4.49,48.39 7.75,48.58 3.06,50.63 55.45,-20.88 -61.53,16.24 6.13,46.19',
    outside: '-0.13,51.5 2.17,41.39 8.68,50.11 7.45,46.95 9.19,45.46 13.4,52.52',
  },
  CZCUZK: {
    inside:
      '12.19,50.22 12.92,50.41 14.32,51.04 14.62,50.91 15.05,51 16.44,50.6 17,50.43 17.72,50.3 18.85,49.52 16.95,48.62 14.33,48.56 13.24,49.14 12.55,49.67',
    outside: '13.75,51.05 12.92,50.83 13.43,48.57 16.37,48.21 17.03,51.11 17.11,48.15 12.1,49.02 18.68,50.29',
  },
  DESN: {
    inside:
      '11.9,50.42 12.32,50.18 12.22,51.4 12.34,51.53 12.88,51.64 13,51.56 13.45,51.43 14.24,51.44 14.72,51.55 14.99,51.15 14.8,50.9 13.75,50.76 12.97,50.42 12.46,50.85',
    outside: '11.97,51.48 12.08,50.88 14.33,51.76 12.65,51.87 14.42,50.09 11.59,50.93',
  },
  DEST: {
    inside:
      '10.6,51.98 10.79,51.83 10.98,52.43 10.87,52.75 11.15,52.85 11.6,53.03 12.07,52.83 12.16,52.41 13.1,51.85 12.32,51.62 12.24,51.08 11.81,51.15 11.3,51.47 11.97,51.48',
    outside: '12.58,51.34 11.03,50.98 10.52,52.27 12.55,52.6 13.06,52.4 10.79,51.2',
  },
  DETH: {
    inside:
      '9.92,50.72 10.23,51.14 9.97,51.37 10.27,51.46 10.67,51.6 11.29,51.36 11.7,51.05 12.43,50.98 12.6,50.98 12.2,50.65 11.82,50.4 11.17,50.36 10.73,50.22 10.15,50.6',
    outside: '12.37,51.34 11.97,51.48 9.68,50.55 10.89,49.9 12.92,50.83',
  },
  DEHE: {
    inside:
      '7.8,50.05 8.06,50.39 8.2,50.74 8.61,51.29 9,51.5 9.45,51.64 9.86,51.34 10.17,51.19 10,50.5 9.65,50.3 9.1,49.55 8.84,49.41 8.4,49.62 8.24,50.08',
    outside: '7.6,50.36 8.75,51.72 9.93,51.53 9.93,49.79 8.02,51.02',
  },
  DENW: {
    inside:
      '5.88,51.05 6.08,50.77 6.43,50.36 7.23,50.64 8.08,50.74 8.53,50.92 8.75,51.2 9.15,51.49 9.44,51.72 9.25,51.95 8.96,52.38 8.65,52.52 7.6,52.38 7.03,52.21 6.7,52.05 5.97,51.8 6.27,51.44',
    outside: '7.6,50.36 8.77,50.71 9.5,51.31 9.73,52.37 8.05,52.7 6.9,52.45 5.7,51.35',
  },
  DEBB: {
    inside:
      '11.3,53.12 11.75,53 12.09,52.91 12.25,52.27 12.39,52.05 13.08,51.8 13.2,51.43 13.76,51.37 14,51.52 14.64,51.74 14.6,52.35 14.28,53.06 14.39,53.2 13.7,53.55 13.15,53.18 12.24,53.36 13.4,52.52',
    outside: '11.63,52.13 12.24,51.84 13.74,51.05 14.55,53.53 11.41,53.63 12.58,51.34',
  },
  ATBMAP: {
    inside:
      '9.6,47.24 9.75,47.5 10.15,47.35 10.72,47.49 12.17,47.58 13.05,47.8 12.85,48.17 13.43,48.46 15,49 15.96,48.76 17.06,48.09 16.14,46.9 15.99,46.69 14.55,46.4 12.42,46.75 11.5,47 10.5,46.87',
    outside: '11.58,48.14 14.42,50.09 14.51,46.05 11.35,46.5 9.53,46.85 17.63,47.69 12.1,49.02',
  },
  NLPDOK: {
    inside:
      '3.39,51.31 3.8,51.21 4.09,51.25 4.93,51.44 5.25,51.27 5.57,51.24 5.71,50.77 6.02,50.76 6.2,51.37 6.82,51.97 7.05,52.22 7.2,53.2 4.9,52.37 4.85,53.15',
    outside: '4.4,51.1 3.72,51.05 5.34,50.93 6.77,51.23 7.63,51.96 5.57,50.63',
  },
}

test.each(Object.keys(BORDERS))('%s keeps to its own side of the borders, and misses nothing on it', (alias) => {
  const [source] = sourcesOf([shippedSource(alias)])
  const covered = (places: string) =>
    places.split(' ').filter((place) => {
      const [longitude, latitude] = place.split(',').map(Number) as [number, number]
      return mayCover(source!, [longitude, latitude, longitude, latitude])
    })
  const { inside, outside } = BORDERS[alias]!
  expect(covered(inside)).toEqual(inside.split(' '))
  expect(covered(outside)).toEqual([])
})
