import { readFileSync } from 'node:fs'
import { InputError } from '@skyscript/core'
import { expect, test } from 'vitest'
import { createCaptioner } from './captioner.ts'
import { GSD_CLASSES } from './groundability.ts'

const captioner = createCaptioner()
const rows = readFileSync(new URL('./tables/groundable-tags.csv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split(','))

test('the shipped table judges over 1,300 tags of over 150 keys, each once, with a class and a reason', () => {
  expect(rows[0]).toEqual(['key', 'value', 'max_gsd', 'reason'])
  const tags = rows.slice(1)
  for (const row of tags) {
    expect(row, row.join()).toHaveLength(4)
    expect(GSD_CLASSES, row.join()).toContain(Number(row[2]))
    expect(row[3]).not.toBe('')
  }
  expect(new Set(tags.map(([key, value]) => `${key}=${value}`)).size).toBe(tags.length)
  expect(tags.length).toBeGreaterThan(1300)
  expect(new Set(tags.map(([key]) => key)).size).toBeGreaterThan(150)
})

test('every tag of the table is groundable: none has a key that is never seen', () => {
  for (const [key, value, gsd] of rows.slice(1)) {
    expect(captioner.groundability(key!, value!), `${key}=${value}`).toMatchObject({
      groundable: true,
      maxGsd: Number(gsd),
      why: expect.stringMatching(/^table: ./),
    })
  }
})

test('a tag is seen to its own class', () => {
  const maxGsd = (key: string, value: string) => captioner.groundability(key, value).maxGsd
  expect(maxGsd('natural', 'coastline')).toBe(10)
  expect(maxGsd('landuse', 'forest')).toBe(10)
  expect(maxGsd('building', 'yes')).toBe(1)
  expect(maxGsd('natural', 'tree')).toBe(0.6)
  expect(maxGsd('power', 'pole')).toBe(0.2)
  expect(maxGsd('highway', 'street_lamp')).toBe(0.1)
})

test.each([
  ['name', 'Lake'],
  ['name:de', 'See'],
  ['alt_name', 'x'],
  ['addr:street', 'Main Street'],
  ['addr:housenumber', '4'],
  ['ref', 'A 1'],
  ['contact:phone', '1'],
  ['source', 'Esri'],
  ['start_date', '1900'],
  ['opening_hours', '24/7'],
  ['access', 'private'],
  ['building:levels', '3'],
  ['maxspeed', '50'],
  ['admin_level', '8'],
  ['height', '3'],
  ['constructor', 'yes'],
  ['building', 'no such building'],
])('%s=%s is not groundable', (key, value) => {
  expect(captioner.groundability(key, value)).toMatchObject({ groundable: false, maxGsd: null })
  expect(captioner.maxGsd(Object.fromEntries([[key, value]]))).toBeNull()
})

test('the coarsest class is open-ended: it describes the 30 m images of Landsat', () => {
  expect(captioner.maxGsd({ natural: 'water', water: 'lake' })).toBe(30)
  expect(captioner.groundableTags({ natural: 'water', amenity: 'parking' }, 30)).toEqual({ natural: 'water' })
  expect(captioner.maxGsd({ building: 'yes', power: 'pole' })).toBe(1)
})

test("the user's table adds, changes and takes out tags, and changes the fingerprint", () => {
  const own = createCaptioner({
    tags: 'key,value,max_gsd\r\nzone,a,0.6\n"my,key","a ""b""",10\nbuilding,yes,\npower,pole,1\n',
  })
  expect(own.groundability('zone', 'a')).toEqual({ groundable: true, maxGsd: 0.6, why: 'your table' })
  expect(own.groundability('my,key', 'a "b"').maxGsd).toBe(10)
  expect(own.groundability('building', 'yes').groundable).toBe(false)
  expect(own.groundability('power', 'pole').maxGsd).toBe(1)
  expect(own.groundability('natural', 'water')).toEqual(captioner.groundability('natural', 'water'))
  expect(own.fingerprint).not.toBe(captioner.fingerprint)
  expect(createCaptioner().fingerprint).toBe(captioner.fingerprint)
})

test('names stay out of captions whatever the table of the user says', () => {
  const own = createCaptioner({ tags: 'key,value,max_gsd\nname,Lake,10\n' })
  expect(own.groundability('name', 'Lake').groundable).toBe(false)
})

test('a table that cannot be read is refused with its line', () => {
  const refusal = (tags: string) => {
    try {
      createCaptioner({ tags })
    } catch (error) {
      if (error instanceof InputError) return `${error.code}: ${error.message}`
    }
    return 'accepted'
  }
  expect(refusal('a,b,1\n')).toMatch(/^bad-tag-table: .*first line/)
  expect(refusal('key,value,max_gsd\nbuilding,yes,1\nbuilding,yes,3\n')).toMatch(/^bad-tag-table: .*line 3/)
  expect(refusal('key,value,max_gsd\nbuilding\n')).toMatch(/line 2/)
})
