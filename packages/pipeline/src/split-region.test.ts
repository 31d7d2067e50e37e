import type { Box } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { expect, test } from 'vitest'
import { splitRegion } from './split-region.ts'

const settings = (more: string) => parseConfig(`osm: { source: a.osm.pbf }\noutput: ./out\n${more}`, '/regions/a.yaml')
const withBoxes = (...boxes: (Box | null)[]) =>
  boxes.map((box) => ({ name: 'a', bytes: 1, sha256: '', replicationTimestamp: null, replicationSequence: null, box }))
const ANDORRA: Box = [1.41, 42.42, 1.79, 42.66]

test('the extent is the clip box, else what all extracts declare, else unknown', () => {
  const config = settings('')
  expect(splitRegion(config, withBoxes(ANDORRA)).declared).toEqual(ANDORRA)
  expect(splitRegion(config, withBoxes(ANDORRA, [1, 42, 1.5, 42.5])).declared).toEqual([1, 42, 1.79, 42.66])
  expect(splitRegion(config, withBoxes(ANDORRA, null)).declared).toBeNull()
  const clipped = settings('').osm
  expect(
    splitRegion({ ...config, osm: { ...clipped, clip: [1.5, 42.5, 1.6, 42.6] } }, withBoxes(ANDORRA)).declared,
  ).toEqual([1.5, 42.5, 1.6, 42.6])
})

test('no extent goes around the Earth because the region crosses 180 degrees', () => {
  const config = settings('')
  expect(splitRegion(config, withBoxes([179.5, -17, 180, -16], [-180, -17, -179.6, -16])).declared).toEqual([
    179.5, -17, 180.4, -16,
  ])
  const clip: Box = [170, -20, -170, 0]
  expect(splitRegion({ ...config, osm: { ...config.osm, clip } }, []).declared).toEqual([170, -20, 190, 0])
})

test('the size of images is that of the finest source that may cover the region and has more than scattered scenes', () => {
  const side = (sources: string, box: Box, more = '') =>
    splitRegion(settings(`imagery: { sources: ${sources}${more} }`), withBoxes(box)).imageSide
  const all = '[CH, ES, DE, FI, US, P3, P5, S2, L8, L9]'
  expect(side(all, ANDORRA)).toBeCloseTo(30)
  expect(side(all, [178, -18, 179, -17])).toBe(3000)
  expect(side('[P3, L8]', ANDORRA)).toBeCloseTo(240)
  expect(side('[NE, US]', [-98, 39, -97, 40])).toBeCloseTo(180)
  expect(side('[EL, S2]', [26.5, 58, 27, 58.5])).toBe(3000)
  expect(side('[S2, ES]', ANDORRA, ', prefer: listed')).toBe(3000)
})
