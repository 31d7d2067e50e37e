import { fitsPattern, InputError, LABELS } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCaptioner } from './captioner.ts'
import type { TagVerdicts } from './groundability.ts'
import { loadTables, neverReasons } from './tables.ts'
import { compilePattern } from './tag-pattern.ts'
import { GSD_CLASSES, parseTagTable } from './tag-table.ts'

const captioner = createCaptioner()
const { labels, keyRules, leaks } = loadTables({ labels: 'skyscript-2023' }).tags
const name = ({ key, value }: { key: string; value: string }) => `${key}=${value}`

test('over 2,500 tags of over 150 keys are labelled, each once, with a class or none and a reason of one word', () => {
  for (const row of labels) {
    expect([...GSD_CLASSES, null], name(row)).toContain(row.maxGsd)
    expect(row.reason, name(row)).toMatch(/^[a-z]+$/)
  }
  expect(new Set(labels.map(name)).size).toBe(labels.length)
  expect(labels.length).toBeGreaterThan(2500)
  expect(labels.filter(({ maxGsd }) => maxGsd !== null).length).toBeGreaterThan(1500)
  expect(new Set(labels.map(({ key }) => key)).size).toBeGreaterThan(150)
})

test('every reason for which a tag is never seen is explained, and every explained one is used', () => {
  const used = [...labels, ...keyRules, ...leaks!.rows]
    .filter(({ maxGsd }) => maxGsd === null)
    .map(({ reason }) => reason)
  expect([...new Set(used)].sort()).toEqual(
    neverReasons()
      .map(({ reason }) => reason)
      .sort(),
  )
})

test('no label says that a name, address, reference, contact, source, date, hour, right of access, level or limit is seen', () => {
  const never = new Set([
    'name',
    'address',
    'reference',
    'contact',
    'source',
    'date',
    'hours',
    'access',
    'level',
    'limit',
    'operator',
  ])
  const decides = ({ maxGsd, reason }: (typeof keyRules)[number]) => maxGsd === null && never.has(reason)
  expect(keyRules.filter(decides).length).toBeGreaterThan(100)
  for (const row of labels.filter(({ maxGsd }) => maxGsd !== null)) {
    const fits = ({ key, value }: typeof row) =>
      fitsPattern(compilePattern(key), row.key) && fitsPattern(compilePattern(value), row.value)
    const rule = keyRules.find(fits)
    expect(rule && decides(rule) ? name(rule) : null, name(row)).toBeNull()
  }
})

test('a label decides before the rule for its key, which decides before nothing at all', () => {
  expect(captioner.groundability('building', 'house')).toEqual({ groundable: true, maxGsd: 1, why: 'label: roof' })
  expect(captioner.groundability('building', 'no')).toMatchObject({ groundable: false, why: 'label: absent' })
  expect(captioner.groundability('building', 'pigeon_loft')).toEqual({
    groundable: true,
    maxGsd: 1,
    why: 'key rule building=*: roof',
  })
  expect(captioner.groundability('building', '12')).toMatchObject({
    groundable: false,
    why: 'key rule building=#: number',
  })
  expect(captioner.groundability('zone', 'a')).toEqual({
    groundable: false,
    maxGsd: null,
    why: 'unknown: no table has it',
  })
})

test('what a classifier learned decides after all tables', () => {
  const learned = {
    rows: parseTagTable(
      'key,value,max_gsd,reason\nzone,a,0.6,visible 0.93\nbuilding,pigeon_loft,10,x\nbuilding,house,10,x\nzone,b,,visible 0.10\n',
      'learned',
    ),
    classifier: 'one',
  }
  const own = createCaptioner({ learned })
  expect(own.groundability('zone', 'a')).toEqual({ groundable: true, maxGsd: 0.6, why: 'classifier: visible 0.93' })
  expect(own.groundability('zone', 'b')).toEqual({ groundable: false, maxGsd: null, why: 'classifier: visible 0.10' })
  expect(own.groundability('building', 'pigeon_loft').maxGsd).toBe(1)
  expect(own.groundability('building', 'house').maxGsd).toBe(1)
  expect(own.tagsFingerprint).not.toBe(captioner.tagsFingerprint)
  // More tags of the same classifier decide nothing of those that were there before.
  expect(createCaptioner({ learned: { ...learned, rows: [] } }).fingerprint).toBe(own.fingerprint)
})

/** What verdicts say of a tag, by the plainest reading of them. */
function verdictIn({ tags, patterns, reasons }: TagVerdicts, key: string, value: string): number | null {
  const own = tags.get(key)?.get(value)
  if (own !== undefined) return own
  const pattern = patterns.find((each) => fitsPattern(each.key, key) && fitsPattern(each.value, value))
  return pattern === undefined ? reasons.length - 1 : pattern.verdict
}

test('a classifier is asked only about words of the vocabulary that no table knows', () => {
  const isUndecided = (key: string, value: string) => {
    const told = captioner.isUndecided(key, value)
    expect(verdictIn(captioner.undecided(), key, value) === null, `${key}=${value}`).toBe(told)
    return told
  }
  expect(isUndecided('zone', 'a_b')).toBe(true)
  for (const [key, value] of [
    ['building', 'house'],
    ['building', 'pigeon_loft'],
    ['amenity', 'restaurant'],
    ['natural', 'wood'],
    ['name', 'lake'],
    ['zone', 'A1'],
    ['zone', '12'],
    ['zone', 'no'],
    ['zone', 'x'.repeat(100)],
  ] as const)
    expect(isUndecided(key, value), key + value).toBe(false)
})

test.each(LABELS)('every tag is told by the verdicts, as data, just as by the captioner itself: %s', (set) => {
  const own = createCaptioner({
    labels: set,
    tags: 'key,value,max_gsd\nbuilding,h*,0.1\nhighway,residential,\nx:*,*,1\nname,Visible,10\nlanes,#,\n',
    learned: { rows: parseTagTable('key,value,max_gsd\nzone,a,0.6\nzone,b,\n', 'learned'), classifier: 'one' },
  })
  const verdicts = own.verdicts()
  const verdict = (key: string, value: string) => verdictIn(verdicts, key, value)
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'building',
      'house',
      'hut',
      'name',
      'name:de',
      'x:y',
      'zone',
      'a',
      'b',
      'lanes',
      '2',
      'no',
      'addr:street',
    ),
  )
  const tag = fc.oneof(
    fc.constantFrom(...labels).map(({ key, value }) => [key, value] as const),
    fc.tuple(text, text),
  )
  fc.assert(
    fc.property(tag, ([key, value]) => {
      expect(verdict(key, value) === null).toBe(own.groundability(key, value).groundable)
    }),
    { numRuns: 2000 },
  )
  const reasonOf = (key: string, value: string) => verdicts.reasons[verdict(key, value)!]
  expect(reasonOf('addr:city', 'Berlin')).toBe('not-groundable:address')
  if (set === 'visible') {
    expect(reasonOf('amenity', 'restaurant')).toBe('not-groundable:indoor')
    expect(reasonOf('addr:street', 'Broadway')).toBe('not-groundable:address')
    expect(reasonOf('zone', 'c')).toBe('not-groundable:unknown')
  }
  expect(reasonOf('highway', 'residential')).toBe('not-groundable:override')
  expect(reasonOf('zone', 'b')).toBe('not-groundable:classifier')
  expect(verdicts.tags.has('addr:street')).toBe(false)
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
  ['building', 'no'],
  ['office', 'lawyer'],
  ['proposed:building', 'yes'],
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
  expect(own.groundability('zone', 'a')).toEqual({ groundable: true, maxGsd: 0.6, why: 'override' })
  expect(own.groundability('my,key', 'a "b"').maxGsd).toBe(10)
  expect(own.groundability('building', 'yes').groundable).toBe(false)
  expect(own.groundability('power', 'pole').maxGsd).toBe(1)
  expect(own.groundability('natural', 'water')).toEqual(captioner.groundability('natural', 'water'))
  expect(own.fingerprint).not.toBe(captioner.fingerprint)
  expect(createCaptioner().fingerprint).toBe(captioner.fingerprint)
})

test("the user's patterns go before the labels, and the user's single tags before the patterns", () => {
  const own = createCaptioner({
    tags: 'reason,key,value,max_gsd\nmine,leisure,*,\n,leisure,pitch,0.2\n,name,Lake,10\n',
  })
  expect(own.groundability('leisure', 'park')).toEqual({ groundable: false, maxGsd: null, why: 'override: mine' })
  expect(own.groundability('leisure', 'pitch')).toEqual({ groundable: true, maxGsd: 0.2, why: 'override' })
  expect(own.groundability('name', 'Lake').groundable).toBe(true)
  expect(own.groundability('name', 'Pond').groundable).toBe(false)
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
  expect(refusal('key,value,groundable,max_gsd\nbuilding,yes,no,1\n')).toMatch(/line 2: groundable is "no"/)
  expect(refusal('key,value,max_gsd\n"building,yes,1\n')).toMatch(/^bad-tag-table: captions.tags, line 2: .*quote/)
  expect(refusal('key,value,max_gsd\nbuilding,yes\n')).toMatch(/line 2/)
})

const original = createCaptioner({ labels: 'skyscript-2023' })
const anyText = fc.oneof(
  fc.string(),
  fc.stringMatching(/^[a-z][a-z_]{0,12}$/),
  fc.constantFrom('no', 'yes', '4', 'unknown', 'St. Mary', 'https://example.org'),
)

test('skyscript-2023 lets through what the original did, and says so', () => {
  for (const [key, value] of [
    ['addr:street', 'East Greenway Parkway'],
    ['religion', 'buddhist'],
    ['denomination', 'baptist'],
    ['office', 'lawyer'],
    ['shop', 'bakery'],
    ['voltage', '400000;220000'],
    ['heritage', '2'],
    ['railway:track_class', 'D4'],
    ['building:material', 'brick'],
    ['plant:output:electricity', '12 MW'],
    ['historic', 'yes'],
    ['backrest', 'yes'],
    ['winter_service', 'yes'],
    ['aerialway:occupancy', '4'],
    ['species', 'Quercus robur'],
    ['coal_type', 'lignite'],
  ] as const) {
    expect(original.groundability(key, value), key).toMatchObject({
      groundable: true,
      why: expect.stringMatching(/^skyscript-2023: [a-z]+$/),
    })
    expect(captioner.groundability(key, value).groundable, key).toBe(false)
  }
  expect(original.fingerprint).not.toBe(captioner.fingerprint)
  expect(original.tagsFingerprint).not.toBe(captioner.tagsFingerprint)
  expect(createCaptioner({ labels: 'visible' }).fingerprint).toBe(captioner.fingerprint)
})

test('skyscript-2023 never lets a name, address, reference, contact, date, source, operator, height, level or limit through', () => {
  const keys = [
    ...['name', 'name:en', 'alt_name', 'old_name:fr', 'bridge:name', 'seamark:name', 'golf:course:name', 'name_1'],
    ...['addr:housenumber', 'addr:housename', 'addr:city', 'addr:postcode', 'addr:place', 'addr:full', 'is_in'],
    ...[
      'ref',
      'local_ref',
      'ref:bag',
      'railway:ref',
      'highway:ref',
      'heritage:ref',
      'building:ref',
      'wikidata',
      'gnis:id',
    ],
    ...['phone', 'contact:phone', 'contact:website', 'website', 'url', 'email', 'fax', 'facebook', 'contact:instagram'],
    ...['survey:date', 'check_date', 'source:date', 'start_date', 'construction_date', 'source', 'source:geometry'],
    ...['operator', 'brand', 'network', 'opening_hours', 'height', 'building:height', 'roof:height', 'building:levels'],
    ...['roof:levels', 'maxspeed', 'admin_level', 'layer', 'level', 'note', 'fixme', 'description', 'created_by'],
  ]
  fc.assert(
    fc.property(fc.constantFrom(...keys), anyText, (key, value) => {
      expect(original.groundability(key, value).groundable, `${key}=${value}`).toBe(false)
    }),
    { numRuns: 2000 },
  )
})

test('what can be seen is seen as far with either set of labels, and decides the image where an object has any of it', () => {
  for (const { key, value, maxGsd } of labels) {
    if (maxGsd !== null) expect(original.groundability(key, value), key).toEqual(captioner.groundability(key, value))
  }
  const text = fc.oneof(
    anyText,
    fc.constantFrom(...keyRules).map(({ value }) => value.replace('#', '3')),
  )
  const seen = fc.oneof(
    fc.constantFrom(...labels).map(({ key, value }) => [key, value] as const),
    fc.tuple(
      fc.constantFrom(...keyRules, ...leaks!.rows).map(({ key }) => key.replace('*', 'x')),
      text,
    ),
  )
  fc.assert(
    fc.property(fc.uniqueArray(seen, { selector: ([key]) => key, minLength: 1, maxLength: 5 }), (entries) => {
      const tags = Object.fromEntries(entries.filter(([, value]) => !['no', 'none', 'unknown'].includes(value)))
      const visible = captioner.maxGsd(tags)
      if (visible !== null) expect(original.maxGsd(tags)).toBe(visible)
      const named = original.groundableTags(tags, 0.1)
      expect(named).toMatchObject(captioner.groundableTags(tags, 0.1))
    }),
    { numRuns: 3000 },
  )
})

test('with a classifier skyscript-2023 leaves to it the words that no table knows', () => {
  const learned = { rows: parseTagTable('key,value,max_gsd\nzone,aa,\nzone,bb,0.6\n', 'learned'), classifier: 'one' }
  const own = createCaptioner({ labels: 'skyscript-2023', learned })
  expect(original.isUndecided('zone', 'aa')).toBe(true)
  expect(own.groundability('zone', 'aa').groundable).toBe(false)
  expect(own.groundability('zone', 'bb')).toMatchObject({ maxGsd: 0.6, why: 'classifier' })
  expect(own.groundability('zone', 'cc')).toMatchObject({ why: 'skyscript-2023: unjudged' })
})
