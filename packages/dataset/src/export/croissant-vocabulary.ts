import { SIMILARITY } from '../names.ts'

/** The context that Croissant 1.0 recommends (appendix 1 of its specification), with the RAI and geo vocabularies. */
export const CONTEXT = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  cr: 'http://mlcommons.org/croissant/',
  geocr: 'http://mlcommons.org/croissant/geo/',
  rai: 'http://mlcommons.org/croissant/RAI/',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  equivalentProperty: 'cr:equivalentProperty',
  examples: { '@id': 'cr:examples', '@type': '@json' },
  extract: 'cr:extract',
  field: 'cr:field',
  fileProperty: 'cr:fileProperty',
  fileObject: 'cr:fileObject',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  md5: 'cr:md5',
  parentField: 'cr:parentField',
  path: 'cr:path',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  repeated: 'cr:repeated',
  replace: 'cr:replace',
  samplingRate: 'cr:samplingRate',
  sc: 'https://schema.org/',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
} as const

/** Describes a column of the manifest or a CSV. */
export interface ColumnMeaning {
  readonly dataType: string
  readonly description: string
  /** The equivalent geocr or schema.org property. */
  readonly equivalentProperty?: string
}

const of = (dataType: string, description: string, equivalentProperty?: string): ColumnMeaning => ({
  dataType: `sc:${dataType}`,
  description,
  ...(equivalentProperty !== undefined && { equivalentProperty }),
})

const COLUMNS: Readonly<Record<string, ColumnMeaning>> = {
  id: of(
    'Text',
    'OpenStreetMap object: n node, w way, a area; a closed way’s number, or a relation’s + 3,600,000,000.',
  ),
  filepath: of('Text', 'Path of the image below the dataset’s folder.'),
  source: of('Text', 'Short name of the imagery’s source.'),
  collection: of('Text', 'Collection that the image is of.'),
  image_id: of('Text', 'Id of the image within its catalogue.'),
  time: of('DateTime', 'When the image was taken, UTC; empty where the source has no time.'),
  date_precision: of('Text', 'day, or year where no more of the time is known; empty where the source has no time.'),
  west: of('Float', 'Western edge of the image, degrees WGS84.'),
  south: of('Float', 'Southern edge of the image, degrees WGS84.'),
  east: of('Float', 'Eastern edge of the image, degrees WGS84.'),
  north: of('Float', 'Northern edge of the image, degrees WGS84.'),
  longitude: of('Float', 'Longitude of the image’s centre, degrees WGS84.', 'sc:longitude'),
  latitude: of('Float', 'Latitude of the image’s centre, degrees WGS84.', 'sc:latitude'),
  gsd: of('Float', 'Ground sampling distance, metres a pixel.', 'geocr:spatialResolution'),
  width: of('Integer', 'Width of the image in pixels.'),
  height: of('Integer', 'Height of the image in pixels.'),
  version: of('Integer', 'Version of the OpenStreetMap object; empty where the extract has none.'),
  timestamp: of('Text', 'Last edit of the OpenStreetMap object, ISO 8601; empty where the extract has none.'),
  days_apart: of(
    'Integer',
    'Whole days from the image to the last edit, negative where the edit is older; empty where either time is unknown.',
  ),
  geometry: of(
    'Text',
    'Hash of the geometry of the OpenStreetMap object, 16 hex digits: it differs once the object is moved or reshaped.',
  ),
  center_tags: of('Text', 'Tags of the object that can be seen at this resolution, as a JSON object.'),
  surrounding_tags: of('Text', 'Tags of each other object in the image, as a JSON list of objects.'),
  title: of('Text', 'Caption of the object.'),
  title_multi_objects: of('Text', 'Caption of the object and of what is around it.'),
  more_captions: of('Text', 'Further captions, as a JSON list of texts.'),
  split: of('Text', 'train, val or test; pairs with another value are in no CSV of pairs.'),
  sha256: of('Text', 'sha256 of the image, lower-case hex.'),
  phash: of('Text', 'Perceptual hash of the image, 16 hex digits: images that look alike differ in few bits.'),
  licence: of('Text', 'Licence of the image.'),
  credit: of('Text', 'Credit line of the image.'),
}

/** An unknown column is described as a text of that name. */
export function describeColumn(column: string): ColumnMeaning {
  if (column.startsWith(SIMILARITY)) {
    const scorer = column.slice(SIMILARITY.length)
    return of('Float', `Cosine similarity of image and title by the scorer ${scorer}.`)
  }
  return COLUMNS[column] ?? of('Text', `Column ${column} of the manifest.`)
}

const HUB_TYPES: Readonly<Record<string, string>> = { 'sc:Float': 'float64', 'sc:Integer': 'int64' }

/** Type of a column in JSON, in the terms of Hugging Face's `datasets`; a time is a text. */
export const hubTypeOf = (column: string): string => HUB_TYPES[describeColumn(column).dataType] ?? 'string'
