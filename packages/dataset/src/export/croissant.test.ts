import { sha256 } from '@skyscript/core'
import { expect, test } from 'vitest'
import { openTestDataset } from '../../test/support/finished-dataset.ts'
import type { TestDataset } from '../../test/support/test-dataset.ts'
import { croissantOf, type Publication } from './croissant.ts'
import { CONTEXT } from './croissant-vocabulary.ts'
import { openManifest } from './dataset.ts'
import { gatherStatistics } from './statistics.ts'

const PUBLISHED: Publication = { url: 'https://example.org/town', published: '2026-01-31', creator: 'Town' }

interface Reference {
  readonly '@id': string
}

interface Field {
  readonly '@type': string
  readonly '@id': string
  readonly name: string
  readonly dataType: string | readonly string[]
  readonly source?: {
    readonly fileObject?: Reference
    readonly fileSet?: Reference
    readonly extract: { readonly column?: string; readonly fileProperty?: string }
  }
  readonly references?: { readonly field?: Reference; readonly fileObject?: Reference }
}

interface RecordSet {
  readonly '@type': string
  readonly '@id': string
  readonly key: Reference
  readonly field: readonly Field[]
  readonly data?: readonly Readonly<Record<string, string>>[]
}

interface Croissant {
  readonly [name: string]: unknown
  readonly distribution: readonly Readonly<Record<string, string>>[]
  readonly recordSet: readonly RecordSet[]
}

async function describeTown(change?: (dataset: TestDataset) => void, publication = PUBLISHED) {
  const dataset = await openTestDataset(change)
  const manifest = await openManifest(dataset)
  const json = await croissantOf(dataset, manifest.columns, await gatherStatistics(manifest), publication)
  await manifest.close()
  return { dataset, columns: manifest.columns, json: JSON.parse(JSON.stringify(json)) as Croissant }
}

test('all properties that Croissant 1.0 and its RAI and geo vocabularies require are present', async () => {
  const { json } = await describeTown()
  // The specification's table of required properties.
  for (const name of ['description', 'license', 'name', 'url', 'creator', 'datePublished'])
    expect(json[name], name).toBeTruthy()
  expect(json).toMatchObject({
    '@type': 'sc:Dataset',
    conformsTo: [
      'http://mlcommons.org/croissant/1.0',
      'http://mlcommons.org/croissant/RAI/1.0',
      'http://mlcommons.org/croissant/geo/1.0',
    ],
    'geocr:coordinateReferenceSystem': 'EPSG:4326',
    'geocr:spatialResolution': { value: 10, unitText: 'm' },
    'geocr:bandConfiguration': { 'geocr:totalBands': 3 },
    temporalCoverage: '2019-06-03/2021-06-27',
  })
  expect(json.citeAs).toContain('arXiv:2312.12856')
  const { geo } = json.spatialCoverage as { geo: { box: string } }
  const [south, west, north, east] = geo.box.split(' ').map(Number)
  expect(south).toBeCloseTo(42.51, 2)
  expect(west).toBeCloseTo(1.51, 2)
  expect(north).toBeGreaterThan(south!)
  expect(east).toBeGreaterThan(west!)
})

test('every file is listed with its hash, and the images are where the description says', async () => {
  const { dataset, json } = await describeTown()
  const objects = json.distribution.filter((each) => each['@type'] === 'cr:FileObject')
  expect(objects.map((each) => each.contentUrl).sort()).toEqual(
    [...dataset.storage.files.keys()].filter((path) => !/^(images|meta)\d/.test(path)).sort(),
  )
  for (const { contentUrl, sha256: hash, encodingFormat, contentSize, name } of objects) {
    const bytes = dataset.storage.files.get(contentUrl!)!
    expect(hash).toBe(sha256(bytes))
    expect(contentSize).toBe(`${bytes.length} B`)
    expect(encodingFormat).toMatch(/^(text|application)\//)
    expect(name).toBeTruthy()
  }
  const [images] = json.distribution.filter((each) => each['@type'] === 'cr:FileSet')
  const glob = new RegExp(`^${images!.includes!.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`)
  const matched = [...dataset.storage.files.keys()].filter((path) => glob.test(path))
  expect(matched.length).toBe(40)
})

test('ids are unique, every reference exists, and every column is in the file that it names', async () => {
  const { dataset, columns, json } = await describeTown()
  const fields = json.recordSet.flatMap(({ field }) => field)
  const nodes = [...json.distribution, ...json.recordSet, ...fields]
  const ids = nodes.map((node) => node['@id'])
  expect(new Set(ids).size).toBe(ids.length)
  const types = new Map(nodes.map((node) => [node['@id'], node['@type']]))
  const references: [string, string][] = []
  const walk = (value: unknown, name: string): void => {
    if (typeof value !== 'object' || value === null) return
    const id = (value as Partial<Reference>)['@id']
    if (id !== undefined && Object.keys(value).length === 1) references.push([name, id])
    for (const [key, member] of Object.entries(value)) if (key !== '@context') walk(member, key)
  }
  walk(json.recordSet, '')
  const kinds: Record<string, string> = {
    fileObject: 'cr:FileObject',
    fileSet: 'cr:FileSet',
    field: 'cr:Field',
    key: 'cr:Field',
  }
  for (const [name, id] of references) expect(types.get(id), `${name} ${id}`).toBe(kinds[name])
  expect(references.length).toBeGreaterThan(60)

  const headerOf = (path: string) =>
    path === 'manifest.parquet'
      ? columns
      : Buffer.from(dataset.storage.files.get(path)!).toString().split('\n')[0]!.split(',')
  for (const { source, dataType, '@id': id } of fields) {
    for (const type of [dataType].flat()) expect(type, id).toMatch(/^(sc|cr):\w+$/)
    if (source?.fileObject) expect(headerOf(source.fileObject['@id']), id).toContain(source.extract.column)
    else if (source) expect(['content', 'fullpath']).toContain(source.extract.fileProperty)
  }
  const pairs = json.recordSet.find((set) => set['@id'] === 'pairs')!
  expect(pairs.field.map(({ name }) => name).sort()).toEqual([...columns, 'image'].sort())
  // A column that nobody described would say so.
  expect(JSON.stringify(pairs)).not.toContain('of the manifest."')
  for (const { '@id': id, data, field } of json.recordSet)
    for (const record of data ?? []) expect(Object.keys(record), id).toEqual(field.map((each) => each['@id']))
})

test('splits are texts by their data type, and images within zip files name the files that hold them', async () => {
  const { json, dataset, columns } = await describeTown()
  for (const id of ['splits/url', 'pairs/split']) {
    const field = json.recordSet.flatMap((set) => set.field).find((each) => each['@id'] === id)
    expect(field!.dataType).toEqual(['sc:Text', 'cr:Split'])
  }
  expect(json.distribution.find((each) => each['@id'] === 'images')).not.toHaveProperty('containedIn')
  const manifest = await openManifest(dataset)
  const archives = ['images2.zip', 'images7.zip'].map((path) => ({ path, bytes: 7, sha256: 'ab'.repeat(32) }))
  const zipped = await croissantOf(dataset, columns, await gatherStatistics(manifest), PUBLISHED, archives)
  await manifest.close()
  const { distribution } = JSON.parse(JSON.stringify(zipped)) as Croissant
  expect(distribution.find((each) => each['@id'] === 'images')).toMatchObject({
    containedIn: [{ '@id': 'images2.zip' }, { '@id': 'images7.zip' }],
  })
  expect(distribution.filter((each) => each.encodingFormat === 'application/zip')).toHaveLength(2)
})

test('a property is of schema.org or of a vocabulary that the context names', async () => {
  const { json } = await describeTown()
  const SCHEMA =
    /^(@\w+|name|description|identifier|url|datePublished|creator|license|creditText|isBasedOn|keywords|inLanguage|spatialCoverage|temporalCoverage|geo|box|value|minValue|maxValue|unitText|distribution|contentUrl|contentSize|encodingFormat|sha256)$/
  const unknown = new Set<string>()
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, member] of Object.entries(value)) {
      const prefix = key.includes(':') ? key.split(':')[0]! : key
      if (!Array.isArray(value) && !(prefix in CONTEXT) && !SCHEMA.test(key)) unknown.add(key)
      if (key !== '@context' && key !== 'data') walk(member)
    }
  }
  walk(json)
  expect([...unknown]).toEqual([])
})

test('splits without a set, and facts that only the publisher knows, are not invented', async () => {
  const { json } = await describeTown(
    (d) => {
      d.rows[0]!.split = 'excluded'
    },
    { url: null, published: null, creator: null },
  )
  for (const name of ['url', 'datePublished', 'creator']) expect(json).not.toHaveProperty(name)
  expect(json.recordSet[0]!.data).toEqual([
    { 'splits/name': 'train', 'splits/url': 'cr:TrainingSplit' },
    { 'splits/name': 'val', 'splits/url': 'cr:ValidationSplit' },
    { 'splits/name': 'test', 'splits/url': 'cr:TestSplit' },
    { 'splits/name': 'excluded', 'splits/url': 'cr:Split' },
  ])
})
