// @module-tag slow
/** Projected places compared with PROJ's: images that are metres off look right, and are wrong. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { InputError } from '@skyscript/core'
import { describe, expect, test } from 'vitest'
import { GDAL, lacks } from '../../../test/support/needs.ts'
import { projectionOf, projectionOfKeys } from '../src/crs/projections.ts'

const run = promisify(execFile)

/** Longitude and latitude, and easting and northing by PROJ 9.1 (gdaltransform). */
const PLACES = [
  [3857, [7.4, 46.9], [823764.23, 5925766.77]],
  [2056, [7.4, 46.9], [2597056.2, 1194321.88]],
  [21781, [7.4, 46.9], [597056.2, 194321.88]],
  [32632, [7.4, 46.9], [378133.34, 5195294.16]],
  [32733, [16, -23], [602485.17, 7456130.76]],
  [25832, [8, 52], [431350.3, 5761510.32]],
  [25835, [26, 62], [447624.2, 6874583.73]],
  [26910, [-122, 40], [585360.46, 4428236.06]],
  [3035, [20, 50], [5035485.57, 3036305.97]],
  [3067, [25, 62], [395257.32, 6875794.5]],
  [2154, [2.5, 47], [662007.01, 6655651.15]],
  [27700, [-1.5, 52.5], [434039.46, 289239.28]],
  [28992, [5.5, 52.2], [162711.37, 467993.58]],
  [31370, [4.5, 50.6], [159291.99, 143265.62]],
  [5514, [16, 49.5], [-638279.83, -1122134.19]],
  [2193, [174, -41], [1684102.13, 5460761.41]],
  [3006, [15, 60], [500000.0, 6651411.19]],
  [2180, [19, 52], [500000.0, 459309.21]],
  [7855, [147, -37], [500000.0, 5905127.63]],
  [6344, [-93, 45], [500000.0, 4982950.4]],
  [2263, [-74, 40.7], [984250.0, 194305.34]],
  [2225, [-122, 40], [6561666.67, 1883285.86]],
  [6543, [-79, 35.5], [2000000.0, 636902.68]],
  [2049, [21.3, -33.5], [-27876.81, 3708242.78]],
  [3031, [170, -78], [227205.38, -1288545.76]],
  [3413, [-40, 75], [142401.98, -1627662.09]],
  [3978, [-100, 60], [-270911.94, 1214944.41]],
  [5070, [-98, 39], [-171591.09, 1776715.77]],
  [2393, [25, 62], [3395385.63, 6878678.36]],
  [3763, [-8, 40], [11366.64, 36842.24]],
  [31256, [16.3, 48.2], [-2388.8, 340177.52]],
  [9473, [135, -25], [299362.22, -2706085.98]],
] as const

test.each(PLACES)('EPSG:%i: a place is within a metre of PROJ’s, and converts back', (epsg, place, expected) => {
  const { forward, inverse } = projectionOf(epsg, 'a.tif')
  const found = forward(place as unknown as [number, number])
  expect(Math.hypot(found[0] - expected[0], found[1] - expected[1])).toBeLessThan(1)
  const back = inverse(found)
  expect(Math.hypot(back[0] - place[0], back[1] - place[1])).toBeLessThan(1e-6)
})

describe.skipIf(lacks(GDAL))('compared with gdaltransform', () => {
  test('the places above match PROJ, and so do others around them', async () => {
    for (const [epsg, [x, y]] of PLACES) {
      const around = [-0.2, 0, 0.2].flatMap((dx) => [-0.2, 0.2].map((dy) => [x + dx, y + dy] as [number, number]))
      const asking = run('gdaltransform', ['-s_srs', 'EPSG:4326', '-t_srs', `EPSG:${epsg}`, '-output_xy'])
      asking.child.stdin!.end(around.map((each) => each.join(' ')).join('\n'))
      const lines = (await asking).stdout.trim().split('\n')
      const { forward } = projectionOf(epsg, 'a.tif')
      for (const [i, each] of around.entries()) {
        const [east, north] = lines[i]!.split(' ').map(Number) as [number, number]
        const found = forward(each)
        expect(Math.hypot(found[0] - east, found[1] - north), `EPSG:${epsg} at ${each}`).toBeLessThan(1)
      }
    }
  })
})

test.each([
  [4267, /EPSG:4267, which needs a grid of shifts/],
  [26715, /EPSG:26715, which needs a grid of shifts/],
  [4807, /EPSG:4807, which isn't known/],
  // Its shift is known to about twenty metres.
  [28410, /EPSG:28410, which needs the shift of its datum/],
  [1, /EPSG:1, which isn't known/],
])('EPSG:%i is refused by name, not placed wrongly', (epsg, said) => {
  expect(() => projectionOf(epsg, 'a.tif')).toThrow(InputError)
  expect(() => projectionOf(epsg, 'a.tif')).toThrow(said)
  expect(() => projectionOf(epsg, 'a.tif')).toThrow(/a\.tif is in .*gdalwarp/)
})

test('the message says that a file names no coordinate system', () => {
  expect(() => projectionOfKeys({}, 'a.tif')).toThrow(/without an EPSG code.*gdalwarp/)
})
