import { printableLine, type Storage, sha256OfStream } from '@skyscript/core'
import { LOCK, MANIFEST, pairColumns } from '../names.ts'
import {
  allGsds,
  BIASES,
  CITATION,
  collection,
  description,
  filtering,
  LIMITATIONS,
  ODBL,
  PAPER,
  PRIVACY,
  USES,
} from './about.ts'
import { CONTEXT, describeColumn } from './croissant-vocabulary.ts'
import type { FinishedDataset, PairSet } from './dataset.ts'
import type { Statistics } from './statistics.ts'

/** Properties of Croissant that only the publisher knows. */
export interface Publication {
  /** Page of the dataset. */
  readonly url: string | null
  /** ISO date. */
  readonly published: string | null
  /** Name of a person or organisation. */
  readonly creator: string | null
}

/** None of them: the description is valid without. */
export const UNPUBLISHED: Publication = { url: null, published: null, creator: null }

/** A zip file beside the manifest. */
export interface Archive {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

type Json = Readonly<Record<string, unknown>>

/**
 * The dataset in MLCommons' Croissant 1.0 (https://docs.mlcommons.org/croissant/docs/croissant-spec.html), with its
 * vocabularies of responsible AI and GeoCroissant 1.0. Its paths are relative to the dataset's folder, where it must be when
 * the dataset is published.
 *
 * @param columns columns of the manifest
 * @param archives zip files that contain the images; default: the images are in folders
 */
export async function croissantOf(
  { storage, lock, sets }: FinishedDataset,
  columns: readonly string[],
  statistics: Statistics,
  { url, published, creator }: Publication,
  archives: readonly Archive[] = [],
): Promise<Json> {
  const first = lock.config.filter.scorers[0]!.name
  return {
    '@context': CONTEXT,
    '@type': 'sc:Dataset',
    name: lock.config.name,
    conformsTo: [
      'http://mlcommons.org/croissant/1.0',
      'http://mlcommons.org/croissant/RAI/1.0',
      'http://mlcommons.org/croissant/geo/1.0',
    ],
    description: description(lock, statistics),
    identifier: lock.fingerprint,
    ...(url !== null && { url }),
    ...(published !== null && { datePublished: published }),
    ...(creator !== null && { creator: { '@type': 'Organization', name: creator } }),
    license: licences(statistics),
    citeAs: CITATION,
    isBasedOn: [PAPER, 'https://www.openstreetmap.org'],
    keywords: ['remote sensing', 'satellite imagery', 'aerial imagery', 'OpenStreetMap', 'image-text pairs', 'CLIP'],
    inLanguage: 'en',
    isLiveDataset: false,
    ...coverage(statistics),
    ...responsibility(lock, statistics),
    distribution: [...(await fileObjects(storage, lock.files)), ...archives.map(archiveObject), imagesOf(archives)],
    recordSet: [splitRecords(statistics), pairRecords(columns), ...sets.map((set) => setRecords(set, first))],
  }
}

/** The captions' licence first, then the imagery's as text, since most of those have no URL. */
function licences({ sources }: Statistics): unknown[] {
  return [
    ODBL,
    ...sources.map(({ source, licence, credits }) => ({
      '@type': 'CreativeWork',
      name: printableLine(`Images with ${source} in their name: ${licence}`),
      creditText: printableLine(credits.join('; ')),
    })),
  ]
}

function coverage(statistics: Statistics): Json {
  const { box, dates } = statistics
  const gsds = allGsds(statistics)
  const [least, most] = [Math.min(...gsds), Math.max(...gsds)]
  return {
    ...(box && {
      spatialCoverage: {
        '@type': 'Place',
        // schema.org's order: south, west, north, east.
        geo: { '@type': 'GeoShape', box: `${box[1]} ${box[0]} ${box[3]} ${box[2]}` },
      },
    }),
    ...(dates && { temporalCoverage: dates.join('/') }),
    'geocr:coordinateReferenceSystem': 'EPSG:4326',
    ...(gsds.length > 0 && {
      'geocr:spatialResolution': {
        '@type': 'QuantitativeValue',
        ...(least === most ? { value: least } : { minValue: least, maxValue: most }),
        unitText: 'm',
      },
    }),
    'geocr:bandConfiguration': BANDS,
    'geocr:samplingStrategy':
      'One image for each OpenStreetMap object with a tag that can be seen at the image’s resolution, shifted at random around the object.',
    'geocr:spatialBias': BIASES.join(' '),
  }
}

const BANDS = {
  '@type': 'geocr:BandConfiguration',
  'geocr:totalBands': 3,
  'geocr:bandNameList': ['Red', 'Green', 'Blue'],
}

function responsibility(lock: FinishedDataset['lock'], { sources, dates }: Statistics): Json {
  return {
    'rai:dataCollection': collection(lock),
    'rai:dataCollectionType': ['Secondary Data analysis', 'User-generated content data'],
    'rai:dataCollectionRawData': [
      ...lock.inputs.map(({ name, sha256 }) => printableLine(`OpenStreetMap extract ${name}, sha256 ${sha256}`)),
      ...sources.map((each) => printableLine(`Images of ${each.collection}`)),
    ].join('; '),
    ...(dates && { 'rai:dataCollectionTimeframe': dates }),
    'rai:dataPreprocessingProtocol': [filtering(lock)],
    'rai:dataAnnotationProtocol':
      'Captions are made from OpenStreetMap tags by fixed rules; OpenStreetMap’s contributors, who are volunteers, set the tags.',
    'rai:machineAnnotationTools': [`${lock.tool.name} ${lock.tool.version}`],
    'rai:dataLimitations': LIMITATIONS,
    'rai:dataBiases': BIASES,
    'rai:dataUseCases': USES,
    'rai:personalSensitiveInformation': [PRIVACY],
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  parquet: 'application/x-parquet',
  csv: 'text/csv',
  json: 'application/json',
  jsonl: 'application/jsonlines',
  md: 'text/markdown',
  html: 'text/html',
  txt: 'text/plain',
}

async function fileObjects(storage: Storage, files: Readonly<Record<string, string>>): Promise<Json[]> {
  const lock = [LOCK, await sha256OfStream(storage.stream(LOCK))] as const
  const objects: Json[] = []
  for (const [path, sha256] of [...Object.entries(files), lock]) {
    const size = await sizeOf(storage, path)
    objects.push({
      '@type': 'cr:FileObject',
      '@id': path,
      name: path,
      contentUrl: path,
      ...(size !== null && { contentSize: `${size} B` }),
      encodingFormat: FORMATS[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
      sha256,
    })
  }
  return objects
}

async function sizeOf(storage: Storage, path: string): Promise<number | null> {
  for await (const { key, size } of storage.list(path)) if (key === path) return size
  return null
}

const archiveObject = ({ path, bytes, sha256 }: Archive): Json => ({
  '@type': 'cr:FileObject',
  '@id': path,
  name: path,
  contentUrl: path,
  contentSize: `${bytes} B`,
  encodingFormat: 'application/zip',
  sha256,
})

const imagesOf = (archives: readonly Archive[]): Json => ({
  '@type': 'cr:FileSet',
  '@id': 'images',
  name: 'images',
  description: 'One JPEG (RGB) for each pair; the manifest has its sha256.',
  ...(archives.length > 0 && { containedIn: archives.map(({ path }) => ({ '@id': path })) }),
  encodingFormat: 'image/jpeg',
  includes: 'images*/*.jpg',
})

/** A text that names a split; the semantic type does not say how to read a value, so `sc:Text` is needed too. */
const SPLIT = ['sc:Text', 'cr:Split']

const SPLIT_CLASSES: Readonly<Record<string, string>> = {
  train: 'cr:TrainingSplit',
  val: 'cr:ValidationSplit',
  test: 'cr:TestSplit',
  benchmark: 'cr:TestSplit',
}

/** All values of the manifest's column, so that every pair's split exists; `held-out` and `excluded` have no known class. */
function splitRecords({ splits }: Statistics): Json {
  return {
    '@type': 'cr:RecordSet',
    '@id': 'splits',
    name: 'splits',
    description:
      'What the column split may say. Pairs of other splits than train, val and test are in no CSV of pairs; those of the split benchmark may be in benchmark sets.',
    dataType: 'cr:Split',
    key: { '@id': 'splits/name' },
    field: [
      { '@type': 'cr:Field', '@id': 'splits/name', name: 'name', dataType: 'sc:Text' },
      { '@type': 'cr:Field', '@id': 'splits/url', name: 'url', dataType: SPLIT },
    ],
    data: [...new Set(['train', 'val', 'test', ...splits.keys()])].map((name) => ({
      'splits/name': name,
      'splits/url': SPLIT_CLASSES[name] ?? 'cr:Split',
    })),
  }
}

/** Every pair with its image; the path joins both. */
function pairRecords(columns: readonly string[]): Json {
  const inManifest = (column: string) => ({ fileObject: { '@id': MANIFEST }, extract: { column } })
  const fields = columns
    .filter((column) => column !== 'filepath')
    .map((column) => ({
      '@type': 'cr:Field',
      '@id': `pairs/${column}`,
      name: column,
      ...describeColumn(column),
      source: inManifest(column),
      ...(column === 'split' && { dataType: SPLIT, references: { field: { '@id': 'splits/name' } } }),
    }))
  return {
    '@type': 'cr:RecordSet',
    '@id': 'pairs',
    name: 'pairs',
    description: 'All pairs of the manifest, also those that no CSV lists.',
    key: { '@id': 'pairs/filepath' },
    field: [
      {
        '@type': 'cr:Field',
        '@id': 'pairs/image',
        name: 'image',
        description: 'The image.',
        dataType: 'sc:ImageObject',
        'geocr:bandConfiguration': BANDS,
        source: { fileSet: { '@id': 'images' }, extract: { fileProperty: 'content' } },
      },
      {
        '@type': 'cr:Field',
        '@id': 'pairs/filepath',
        name: 'filepath',
        ...describeColumn('filepath'),
        // The transform makes the path a text: mlcroissant joins transformed values, and its path objects equal no text.
        source: { fileSet: { '@id': 'images' }, extract: { fileProperty: 'fullpath' }, transform: { regex: '^(.+)$' } },
        references: inManifest('filepath'),
      },
      ...fields,
    ],
  }
}

/** @param first the first scorer, whose similarity is in the unfiltered file */
function setRecords({ name, csv, scorer, part }: PairSet, first: string): Json {
  const columns = pairColumns(scorer ?? first)
  return {
    '@type': 'cr:RecordSet',
    '@id': name,
    name,
    description: `The pairs of ${csv}, for ${part}.`,
    key: { '@id': `${name}/filepath` },
    field: columns.map((column) => ({
      '@type': 'cr:Field',
      '@id': `${name}/${column}`,
      name: column,
      ...describeColumn(column),
      source: { fileObject: { '@id': csv }, extract: { column } },
    })),
  }
}
