import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  boxContains,
  boxesIntersect,
  boxOf,
  canonicalJson,
  constant,
  fileStem,
  fingerprint,
  formatCounted,
  IMAGE_PATH,
  isRefusedHost,
  mapTileAt,
  mapTileBox,
  mapTilesOf,
  metaPath,
  redact,
  seededFraction,
  seededIndex,
  systemReason,
} from './index.ts'

const position = fc.tuple(
  fc.double({ min: -180, max: 179.999, noNaN: true }),
  fc.double({ min: -90, max: 89.999, noNaN: true }),
)

test('a fingerprint does not depend on the order of keys, and depends on every value', () => {
  expect(fingerprint({ a: 1, b: [2, { c: 3, d: null }] })).toBe(fingerprint({ b: [2, { d: null, c: 3 }], a: 1 }))
  expect(fingerprint({ a: 1 })).not.toBe(fingerprint({ a: 2 }))
  expect(fingerprint('a', 'b')).not.toBe(fingerprint('ab'))
  const rows = [{ b: 1, a: 'x' }]
  expect(fingerprint('t', { rows: constant(structuredClone(rows)) })).toBe(fingerprint('t', { rows }))
  expect(() => canonicalJson({ a: Number.NaN })).toThrow(TypeError)
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      const text = (each: unknown): string => {
        if (Array.isArray(each)) return `[${each.map(text).join()}]`
        if (typeof each !== 'object' || each === null) return JSON.stringify(each)
        const members = Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))
        return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${text(member)}`).join()}}`
      }
      expect(canonicalJson([value, value])).toBe(text([value, value]))
    }),
  )
})

test('seeded choices repeat, spread evenly, and differ by purpose', () => {
  expect(seededFraction(51, 'shift', 'n1')).toBe(seededFraction(51, 'shift', 'n1'))
  expect(seededFraction(51, 'shift', 'n1')).not.toBe(seededFraction(51, 'folder', 'n1'))
  const bins = new Array(6).fill(0)
  for (let i = 0; i < 6000; i++) bins[seededIndex(51, 'folder', `n${i}`, 6)]++
  for (const bin of bins) expect(Math.abs(bin - 1000)).toBeLessThan(150)
})

test('a map tile holds the positions that name it, and a box names every tile it touches', () => {
  fc.assert(
    fc.property(position, ([longitude, latitude]) => {
      const [west, south, east, north] = mapTileBox(mapTileAt([longitude, latitude]))
      const slack = 1e-9
      expect(longitude).toBeGreaterThanOrEqual(west - slack)
      expect(longitude).toBeLessThanOrEqual(east + slack)
      expect(latitude).toBeGreaterThanOrEqual(south - slack)
      expect(latitude).toBeLessThanOrEqual(north + slack)
    }),
  )
  expect(mapTilesOf([1.55, 42.45, 1.65, 42.55])).toEqual(['x1815_y1324', 'x1816_y1324', 'x1815_y1325', 'x1816_y1325'])
})

test('boxes', () => {
  expect(
    boxOf({
      type: 'LineString',
      coordinates: [
        [1, 2],
        [-1, 5],
      ],
    }),
  ).toEqual([-1, 2, 1, 5])
  expect(boxesIntersect([0, 0, 1, 1], [1, 1, 2, 2])).toBe(true)
  expect(boxesIntersect([0, 0, 1, 1], [1.1, 0, 2, 2])).toBe(false)
  expect(boxContains([0, 0, 2, 2], [0.5, 0.5, 1, 1])).toBe(true)
})

test('file names follow the original, with an empty year where there is no time', () => {
  expect(fileStem('a198234555', 'CH', Date.UTC(2019, 5, 1))).toBe('a198234555_CH_19')
  expect(fileStem('w41429166', 'DE', null)).toBe('w41429166_DE_')
  expect(metaPath('images2/a1_CH_19.jpg')).toBe('meta2/a1_CH_19.pickle')
  expect('images2/w41429166_DE_.jpg').toMatch(IMAGE_PATH)
  expect('images2/../x_DE_.jpg').not.toMatch(IMAGE_PATH)
  expect(() => fileStem('../../x', 'DE', null)).toThrow(/is not an object id/)
})

test('secrets are redacted wherever they stand', () => {
  expect(redact('redis://user:hunter2@host:6379 said no')).toBe('redis://***@host:6379 said no')
  expect(redact('Authorization: Bearer ya29.abc-def')).not.toContain('ya29')
  expect(redact('GET https://b.example/k?X-Amz-Signature=abc&x=1')).not.toContain('abc')
  expect(redact('-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----')).toBe('***')
})

test('a metadata service is known by name and by address, however a URL writes them', () => {
  const isOne = (url: string) => isRefusedHost(new URL(url).hostname)
  for (const host of [
    '169.254.169.254',
    '[::ffff:169.254.169.254]',
    '0xa9fea9fe',
    'Metadata.Google.Internal.',
    '[fd00:ec2::254]',
    '169.254.0.1',
    '[fe80::1]',
    '[febf::1]',
    '[64:ff9b::169.254.169.254]',
    '[64:ff9b:1::169.254.169.254]',
    '[::169.254.169.254]',
    '[2002:a9fe:a9fe::1]',
    '[::ffff:0:169.254.169.254]',
    '100.100.100.200',
  ])
    expect(isOne(`http://${host}/latest`), host).toBe(true)
  for (const host of [
    '[::ffff:8.8.8.8]',
    '[64:ff9b::8.8.8.8]',
    '[2001:db8::1]',
    '[::1]',
    '169.253.1.1',
    'metadata.example.org',
    '127.0.0.1',
  ])
    expect(isOne(`http://${host}/`), host).toBe(false)
})

test('a count of one is followed by the singular', () => {
  expect([0, 1, 2, 1234].map((n) => formatCounted(n, 'pair'))).toEqual(['0 pairs', '1 pair', '2 pairs', '1,234 pairs'])
  expect(formatCounted(2, 'hash', 'hashes')).toBe('2 hashes')
})

test('codes of the system are told in words, and other errors keep their sentence', () => {
  const failed = (code: string) => systemReason(Object.assign(new Error(`${code}: getaddrinfo`), { code }))
  expect(failed('ENOENT')).toBe('there is no such file')
  expect(failed('ENOTFOUND')).toBe('there is no such host')
  expect(failed('EWHATEVER')).toBe('EWHATEVER: getaddrinfo')
  expect(systemReason(new Error('https://me:hunter2@host failed'))).not.toContain('hunter2')
})
