/** Places of coordinate systems beside PROJ's: pictures that lie metres beside their objects look right, and are wrong. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { InputError } from '@skyscript/core'
import { describe, expect, test } from 'vitest'
import { projectionOf } from '../src/cog/projections.ts'
import { hasGdal } from './cog-set-up.ts'

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
] as const

test.each(PLACES)(
  'EPSG:%i: a place lies within a metre of where PROJ has it, and comes back',
  (epsg, place, expected) => {
    const { forward, inverse } = projectionOf(epsg, 'a.tif')
    const found = forward(place as unknown as [number, number])
    expect(Math.hypot(found[0] - expected[0], found[1] - expected[1])).toBeLessThan(1)
    const back = inverse(found)
    expect(Math.hypot(back[0] - place[0], back[1] - place[1])).toBeLessThan(1e-6)
  },
)

describe.skipIf(!hasGdal)('beside gdaltransform', () => {
  test('the places above are PROJ’s own, and others around them agree as well', async () => {
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

test('a system that is not known is named, and one without a code is told apart', () => {
  expect(() => projectionOf(2193, 'a.tif')).toThrow(InputError)
  expect(() => projectionOf(2193, 'a.tif')).toThrow(/a\.tif is in EPSG:2193.*gdalwarp/)
  expect(() => projectionOf(32767, 'a.tif')).toThrow(/without an EPSG code.*gdalwarp/)
})
