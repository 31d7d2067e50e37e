import type { ImageCandidate } from '@skyscript/core'
import { expect, test } from 'vitest'
import { requestFingerprint } from '../src/fetch-images.ts'
import { SOURCES } from '../src/index.ts'
import { cogSource } from './cog-set-up.ts'

const candidate: ImageCandidate = {
  source: 'S2',
  imageId: 'COPERNICUS/S2_SR_HARMONIZED/x',
  origin: 'earthengine',
  time: Date.UTC(2020, 5, 1),
  gsd: 10,
  box: [7, 46, 7.01, 46.01],
  width: 60,
  height: 40,
}

test('everything that decides an image is in its request fingerprint, and nothing else', () => {
  const name = (change: Partial<ImageCandidate> = {}) => requestFingerprint({ ...candidate, ...change }, SOURCES.S2)
  const changes: Partial<ImageCandidate>[] = [
    { imageId: 'COPERNICUS/S2_SR_HARMONIZED/y' },
    { origin: 'mirror' },
    { box: [7, 46, 7.01, 46.02] },
    { width: 61 },
    { height: 41 },
  ]
  const names = [name(), ...changes.map(name)]
  expect(new Set(names).size).toBe(1 + changes.length)
  expect(name({ time: null })).toBe(name())
  expect(name({ gsd: 11 })).toBe(name())
})

test('how a source is read is part of the fingerprint too', () => {
  const of = (settings: Parameters<typeof cogSource>[0]) => requestFingerprint(candidate, cogSource(settings))
  const files = ['a.tif']
  const names = [of({ files }), of({ files, range: [0, 1000] }), of({ files, bands: [3, 2, 1] })]
  expect(new Set(names).size).toBe(3)
  expect(requestFingerprint(candidate, SOURCES.L8)).not.toBe(requestFingerprint(candidate, SOURCES.L9))
})
