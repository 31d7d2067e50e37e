import type { ImageRecord, SourceAlias } from '@skyscript/core'
import { sha256 } from '@skyscript/core'
import fc from 'fast-check'
import sharp from 'sharp'
import { beforeAll, expect, test } from 'vitest'
import { neverReasons } from '../../../captioner/src/index.ts'
import { MemoryStorage } from '../../test/support/memory-storage.ts'
import { html } from './html.ts'
import {
  attributionMarkdown,
  createReportCollector,
  creditLines,
  droppedCsv,
  ofScorers,
  type ReportRow,
  type ReportSummary,
  reportPage,
} from './report.ts'

const storage = new MemoryStorage()
const KEYS = ['building', 'highway', 'natural', 'power'] as const

function rowOf(i: number, source: SourceAlias, changes: Partial<ReportRow['caption']> = {}): ReportRow {
  const id = `a${i}`
  const image: ImageRecord = {
    id,
    source,
    imageId: `ASSET/${i}`,
    origin: 'earthengine',
    time: source === 'DE' ? null : Date.UTC(2017 + (i % 4), 5, 1),
    gsd: source === 'US' ? (i % 2 ? 0.6 : 1) : 10,
    box: [1, 42, 1.01, 42.01],
    width: 120,
    height: 90,
    filepath: `images2/${id}_${source}_.jpg`,
    bytes: 2000,
    sha256: '',
  }
  const key = KEYS[i % 100 === 0 ? 1 + ((i / 100) % 3) : 0]!
  const caption = {
    id,
    filepath: image.filepath,
    title: `a satellite image of ${key} ${i}`,
    titleMultiObjects: `a satellite image of ${key} ${i}, surrounded by road`,
    geometry: '0123456789abcdef',
    centerTags: { [key]: 'yes' },
    surroundingTags: [],
    ...changes,
  }
  return { image, caption, similarities: [0.2 + (i % 10) / 100, -0.1] }
}

const rows = Array.from({ length: 1000 }, (_, i) => rowOf(i, i < 900 ? 'US' : i < 990 ? 'S2' : 'DE'))

async function reportOf(all: readonly ReportRow[], name = 'SkyScript-Town'): Promise<string> {
  const collector = createReportCollector({ seed: 51, scorers: ['openai', 'laion_RS'] })
  for (const row of all) collector.add(row)
  return reportPage(collector.end(), summaryOf(name, all.length + 12), storage)
}

const summaryOf = (name: string, objects: number): ReportSummary => ({
  name,
  meanings: neverReasons(),
  toolVersion: '0.1.0',
  objects,
  dropped: { 'not-groundable:indoor': 7, 'not-groundable:unknown': 2, cloudy: 1 },
  failed: { 'earth-engine-timeout': 2 },
  looked: { CH: { taken: 4, 'image-cloudy': 2 } },
  files: [{ path: 'SkyScript-Town_train_unfiltered_5M.csv', rows: 900 }],
  splits: { train: 900, val: 40, test: 0 },
  duplicates: {
    exact: { images: 4, groups: 2 },
    near: { images: 31, groups: 9, largest: 12 },
    captions: { pairs: 321, distinct: 700, most: 55 },
  },
  notes: ['test of openai has 0 of 9 asked.'],
  credits: ['OpenStreetMap contributors'],
})

const titlesIn = (page: string) => [...page.matchAll(/<figcaption><p><bdi>(.*?)<\/bdi>/g)].map(([, title]) => title!)

beforeAll(async () => {
  const jpeg = await sharp({ create: { width: 120, height: 90, channels: 3, background: '#486' } })
    .jpeg()
    .toBuffer()
  for (const { image } of rows) storage.files.set(image.filepath, jpeg)
})

test('the report is one self-contained page with 48 pairs', async () => {
  const page = await reportOf(rows)
  expect(page.match(/<figure>/g)).toHaveLength(48)
  expect(page.match(/src="data:image\/jpeg;base64,/g)).toHaveLength(48)
  expect(page).not.toMatch(/<script|<link|@import|url\(|src="(?!data:)|href="(?!changes.html")/)
  expect(page).toContain(`default-src 'none'`)
  expect(page.length).toBeLessThan(1_500_000)
  for (const text of [
    '1,012',
    'not-groundable',
    'indoor',
    'goes on inside a building',
    'no table has it',
    '9 groups, the largest of 12',
    'test of openai has 0 of 9 asked.',
    'train 900, val 40',
    'cloudy',
    'earth-engine-timeout',
    'building=yes',
    '2017',
    'no year',
    '0.6 to 1',
  ]) {
    expect(page).toContain(text)
  }
})

test('the contact sheet shows rare sources and rare kinds of object too', async () => {
  const page = await reportOf(rows)
  const sources = [...page.matchAll(/class="facts">(\w\w) /g)].map(([, source]) => source)
  expect(sources.filter((source) => source === 'DE')).toHaveLength(10)
  expect(sources.filter((source) => source === 'US').length).toBeGreaterThan(15)
  for (const key of KEYS) expect(titlesIn(page).some((title) => title.includes(` ${key} `))).toBe(true)
})

test('the page depends on the rows and the seed, not on their order', async () => {
  const page = await reportOf(rows)
  const shuffled = rows.toSorted((a, b) => (sha256(a.image.id) < sha256(b.image.id) ? -1 : 1))
  expect(sha256(await reportOf(shuffled))).toBe(sha256(page))
})

test('a dataset without pairs has a report', async () => {
  const page = await reportOf([])
  expect(page).toContain('No pair has a score')
  expect(page).not.toMatch(/NaN|undefined|Infinity/)
})

test('gathered data gives the same page after a round trip through JSON, and shows only the chosen scorers', async () => {
  const collector = createReportCollector({ seed: 51, scorers: ['openai', 'laion_RS'] })
  for (const row of rows) collector.add(row)
  const data = collector.end()
  const again = JSON.parse(JSON.stringify(data))
  expect(await reportPage(again, summaryOf('n', 2), storage)).toBe(await reportPage(data, summaryOf('n', 2), storage))
  const page = await reportPage(ofScorers(data, ['laion_RS']), summaryOf('n', 2), storage)
  expect(page).toContain('laion_RS -0.100')
  expect(page).not.toContain('openai 0.')
})

test('an image that is missing or broken does not stop the report', async () => {
  const broken = new MemoryStorage()
  broken.files.set(rows[0]!.image.filepath, Buffer.from('no JPEG'))
  const collector = createReportCollector({ seed: 1, scorers: [] })
  for (const row of rows.slice(0, 2)) collector.add(row)
  const page = await reportPage(collector.end(), summaryOf('n', 2), broken)
  expect(page.match(/no image/g)).toHaveLength(2)
})

test('no caption, tag or name can inject markup into the page', async () => {
  const evil = `"><img src=x onerror=alert(1)><!--'&\u202e\0`
  const page = await reportOf(
    [
      rowOf(1, 'US', {
        title: evil,
        titleMultiObjects: `${evil}${evil}`,
        centerTags: { [evil]: evil },
      }),
    ],
    evil,
  )
  expect(page).not.toContain('<img src=x')
  expect(page).not.toContain('<!--')
  expect(page).not.toMatch(/[\0\u202e]/)
  expect(page).toContain('&quot;&gt;&lt;img src=x onerror=alert(1)&gt;')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(html`<p title="${text}">${[text]}</p>`.markup).toMatch(/^<p title="[^"<>]*">[^<>]*<\/p>$/)
    }),
  )
})

test('dropped.csv lists reasons and failure codes, most frequent first, ties by name', () => {
  const csv = droppedCsv({ dropped: { 'too-small': 3, cloudy: 3, 'no-suitable-source': 40 }, failed: { timeout: 7 } })
  expect(csv).toBe('reason,count\nno-suitable-source,40\nfailed:timeout,7\ncloudy,3\ntoo-small,3\n')
  expect(droppedCsv({ dropped: {}, failed: {} })).toBe('reason,count\n')
  expect(() => droppedCsv({ dropped: { '=cmd,x': 1 }, failed: {} })).toThrow(/is not the name of a reason/)
})

test('the attribution names the map, and every source with its licence, years and each credit once', () => {
  const sources = [
    {
      alias: 'FI',
      collection: 'Finland/SMK/V/50cm',
      terms: [
        {
          licence: 'CC BY 4.0',
          credits: ['National Land Survey of Finland 2019', 'National Land Survey of Finland 2021'],
        },
      ],
      years: [2021, 2019, 2019],
    },
    {
      alias: 'DE',
      collection: 'Germany/Brandenburg/orthos/20cm',
      terms: [{ licence: 'dl-de/by-2-0', credits: ['GeoBasis-DE/LGB', 'GeoBasis-DE/LGB'] }],
      years: [null],
    },
    {
      alias: 'OAMX',
      collection: 'OAMX',
      terms: [
        { licence: 'CC BY 4.0', credits: ['First pilot', 'Second pilot'] },
        { licence: 'CC BY-SA 4.0', credits: ['Third pilot'] },
      ],
      years: [2019],
    },
  ]
  const text = attributionMarkdown('SkyScript-Town', sources)
  expect(text).toContain('OpenStreetMap contributors, Open Database License (ODbL)')
  expect(text).toContain(
    '- Years of the images: 2019, 2021\n- Licence: CC BY 4.0\n- Credit: National Land Survey of Finland 2019\n',
  )
  expect(text).toContain('- Years of the images: not dated\n')
  expect(text.match(/GeoBasis-DE/g)).toHaveLength(1)
  expect(text).toContain(
    '- Licence: CC BY 4.0\n- Credit: First pilot\n- Credit: Second pilot\n- Licence: CC BY-SA 4.0\n- Credit: Third pilot\n',
  )
  expect(creditLines(sources).slice(3)).toEqual([
    'OAMX: First pilot; Second pilot (CC BY 4.0)',
    'OAMX: Third pilot (CC BY-SA 4.0)',
  ])
})
