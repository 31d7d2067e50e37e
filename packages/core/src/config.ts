import { dirname, isAbsolute, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { isPath, mapPlaces } from './config-places.ts'
import { aliasOf, crossingBoxSetting, sourceSetting } from './config-sources.ts'
import { DEVICES } from './device.ts'
import { InputError } from './errors.ts'
import { LABELS } from './labels.ts'
import { SOURCE_ALIASES } from './records.ts'
import { checkWith } from './schema-faults.ts'

const endpoint = z
  .union([z.literal('local'), z.url({ protocol: /^https?$/ })], 'must be "local" or an http(s) URL')
  .refine(isBareUrl, 'must hold no login, query or fragment, since settings are stored with the dataset')

const queue = z.union(
  [z.literal('embedded'), z.url({ protocol: /^rediss?$/ })],
  'must be "embedded" or a redis:// or rediss:// URL',
)

const outputUrl = z
  .string()
  .min(1)
  .refine((text) => !/^[a-z]+:\/\//.test(text) || text.startsWith('s3://'), 'must be a folder or s3://bucket/prefix')

const scorer = z.strictObject({
  /** Ends the column and file names: similarity_CLIP_<name>. */
  name: z
    .string()
    .regex(/^[A-Za-z0-9_]{1,32}$/, 'must be 1 to 32 letters, digits or underscores')
    .refine((name) => !name.endsWith('_captions'), 'must not end with "_captions", as files of captions do'),
  /** A folder (starts with `.` or `/`) in the hub's layout, or a hub id, `owner/name` or `owner/name@revision`. */
  model: z.string().min(1),
  /** Where the model runs: onnxruntime's execution provider. */
  device: z.enum(DEVICES).default('cpu'),
  /** Images that go into the model at once; null: found by trying. */
  batch: z.int().min(1).max(1024).nullable().default(null),
  /**
   * A server that runs the model (Open Inference Protocol v2, as Triton and KServe speak it), and the names it has for
   * the two halves. `model` need then hold no more than the tokenizer and the preprocessing.
   */
  server: z
    .strictObject({
      /** Without a login or a query: settings are stored with the dataset. */
      url: z
        .url({ protocol: /^https?$/ })
        .refine(
          isBareUrl,
          'must hold no login, query or fragment; set SKYSCRIPT_MODEL_LOGIN=https://user:password@host for a login',
        ),
      vision: z.string().regex(/^[\w.-]{1,128}$/, 'must be the name of a model on the server'),
      text: z.string().regex(/^[\w.-]{1,128}$/, 'must be the name of a model on the server'),
    })
    .nullable()
    .default(null),
})

/** Whether an address has no part in which secrets are put: login, query or fragment. */
function isBareUrl(text: string): boolean {
  const url = URL.parse(text)
  return url === null || (url.username === '' && url.password === '' && !/[?#]/.test(url.href))
}

/** A number that its text in a file's name gives back, and no similarity lies between. */
const hasSixDigits = (value: number) => Number(value.toFixed(6)) === value

/** The original's scorer. OpenAI's ViT-L/14 as exported to ONNX on the hub. */
const DEFAULT_SCORERS = [scorer.parse({ name: 'openai', model: 'Xenova/clip-vit-large-patch14' })]

const schema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
    .default('SkyScript'),
  osm: z.strictObject({
    source: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], 'must be a path, a URL or a list of them'),
    clip: z
      .union([crossingBoxSetting, z.string().min(1)], 'must be [west, south, east, north] or a GeoJSON file')
      .nullable()
      .default(null),
  }),
  imagery: z
    .strictObject({
      sources: z
        .array(sourceSetting)
        .min(1)
        .refine((list) => new Set(list.map(aliasOf)).size === list.length, 'names a source twice')
        .default([...SOURCE_ALIASES]),
      /** Which of the sources that suit an object is tried first: the finest, or the first in the list. */
      prefer: z.enum(['finest', 'listed']).default('finest'),
      /** Of a source's images the latest, that closest to the object's last edit, or of a year drawn by chance. */
      year: z.enum(['latest', 'closest', 'all']).default('latest'),
      /** Percent of cloud, where an image records it. */
      maxCloud: z.number().min(0).max(100).default(20),
      /** What an image's pixels must be like. */
      checks: z
        .strictObject({
          /** Share of pixels that hold data. */
          minValid: z.number().min(0).max(1).default(0.98),
          /** Share of pixels under cloud or haze. */
          maxCloud: z.number().min(0).max(1).default(0.35),
          /** Share of pixels in black seams. */
          maxSeam: z.number().min(0).max(1).default(0.002),
          /** Standard deviation of brightness, of 255, below which nothing is to be seen. */
          minDeviation: z.number().min(0).max(128).default(1.5),
        })
        .prefault({}),
      /** Minutes to wait for a service of imagery that is away, before the build ends and can be resumed; 0: not at all. */
      patience: z
        .number()
        .min(0)
        .max(7 * 24 * 60)
        .default(10),
      /** Only sources under licences that begin with one of these texts; null: all. */
      licences: z.array(z.string().min(1)).min(1).nullable().default(null),
      earthEngine: z
        .strictObject({
          endpoint: endpoint.default('https://earthengine-highvolume.googleapis.com'),
          /**
           * The host whose pixels the endpoint serves too, such as another address of a server: endpoints of one name
           * share their images. null: the endpoint's own host and port.
           */
          mirrorOf: z
            .string()
            .regex(/^[a-z0-9.-]+(:\d{1,5})?$/i, 'must be a host, such as earthengine.googleapis.com or 10.0.0.5:8080')
            .transform((host) => host.toLowerCase())
            .nullable()
            .default(null),
          project: z
            .string()
            .regex(/^[a-z0-9:.-]{1,64}$/, 'must be a Google Cloud project id')
            .nullable()
            .default(null),
          credentials: z.string().min(1).nullable().default(null),
          maxConcurrent: z.int().min(1).max(1000).default(40),
          /** Of all that the project computes in a month (UTC); null: no limit. */
          maxEecuHours: z.number().positive().nullable().default(null),
          /** Whether images that lie close share requests; changes no byte of any image. */
          grouping: z.boolean().default(true),
        })
        .prefault({}),
    })
    .prefault({}),
  selection: z
    .strictObject({
      /** How many random cells of 0.01 x 0.01 degree to take objects from. */
      cells: z.union([z.literal('all'), z.int().min(1)], 'must be "all" or a number of cells').default('all'),
      /** Of tags with fewer objects than this in the cells, every object of the extract is taken. */
      rareTagsBelow: z.int().min(0).default(50),
      /** No tag describes more focus objects than this; objects with rare tags go first. */
      maxPerTag: z.int().min(1).nullable().default(null),
    })
    .prefault({}),
  tiles: z
    .strictObject({
      /** Pixels a side; areas whose box is outside these at every source are dropped. */
      minPixels: z.int().min(16).max(10_000).default(100),
      maxPixels: z.int().min(16).max(10_000).default(1000),
      /** Pixels a side of the image of a point or line. */
      pointPixels: z.int().min(16).max(10_000).default(300),
      /** Largest random shift, as a share of the image's side. */
      shift: z.number().min(0).max(0.45).default(0.2),
    })
    .refine((tiles) => tiles.minPixels <= tiles.maxPixels, {
      path: ['minPixels'],
      message: 'must not exceed tiles.maxPixels',
    })
    .prefault({}),
  captions: z
    .strictObject({
      /** Which tags captions name: what can be seen, or also what the original of 2023 let through. */
      labels: z.enum(LABELS).default('visible'),
      tags: z.string().min(1).nullable().default(null),
      rules: z.string().min(1).nullable().default(null),
      /** Judges tags that no table knows: weights that `skyscript tags train` made, and the CLIP that they are for. */
      classifier: z
        .strictObject({ weights: z.string().min(1), model: z.string().min(1) })
        .nullable()
        .default(null),
      /** Styles: shipped ones by name, or files (start with `.` or `/`). The first writes the captions, all the further ones. */
      templates: z.array(z.string().min(1)).min(1).default(['skyscript']),
      /** Tokens of a caption as the first scorer's model counts them, start and end included. */
      maxTokens: z.int().min(8).max(4096).nullable().default(null),
      /** Further captions of an image. */
      more: z.int().min(0).max(20).default(0),
      /** Says how many there are of like objects around. */
      counts: z.boolean().default(false),
      /** Says on which side of the focus object the others lie. */
      directions: z.boolean().default(false),
    })
    .prefault({}),
  filter: z
    .strictObject({
      scorers: z
        .array(scorer)
        .min(1)
        .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'has two scorers of one name')
        .default(DEFAULT_SCORERS),
      /** Percent of all pairs, by similarity: one training file for each. */
      top: z.array(z.int().min(1).max(100)).default([30, 50]),
      /** Similarities: one training file for each, of the pairs that have at least that. */
      above: z
        .array(
          z.number().min(-1).max(1).refine(hasSixDigits, 'must have no more than six digits, as similarities have'),
        )
        .default([]),
      /** In no ranking more pairs than this count for one tag; see `cut`. */
      maxPerTag: z.int().min(1).nullable().default(null),
      /** No training file has a title more often than this. */
      maxSameCaption: z.int().min(1).nullable().default(null),
      /** A folder of benchmark images: what looks like one of them is in no file. */
      exclude: z.string().min(1).nullable().default(null),
      val: z.int().min(0).default(5000),
      test: z.int().min(0).default(30_000),
      split: z
        .strictObject({
          by: z.enum(['block', 'image']).default('block'),
          /** Side of the blocks; `auto`: held-out ground that fits the region's extent and the size of its images. */
          degrees: z
            .union([z.literal('auto'), z.number().min(0.001).max(10)], 'must be "auto" or 0.001 to 10 degrees')
            .default('auto'),
          /** Percent of the ground (by image: of the pairs) that go to val and test. */
          val: z.number().min(0).max(20).default(1),
          test: z.number().min(0).max(20).default(3),
        })
        .prefault({}),
    })
    .prefault({}),
  seed: z.int().min(0).default(51),
  output: outputUrl,
  queue: queue.default('embedded'),
})

/** A region's settings, whole and checked: every default filled in, every path absolute. */
export type Config = z.infer<typeof schema>

/**
 * Reads a region file.
 *
 * @param text YAML
 * @param file the path it came from; relative paths inside are relative to its folder
 * @throws InputError `bad-config` that lists every fault with the path of its field
 */
export function parseConfig(text: string, file: string): Config {
  return resolvePaths(parse(schema, text, file), dirname(resolve(file)))
}

/** What `skyscript cut` takes from a region file. */
export type CutSettings = Pick<Config, 'name' | 'filter' | 'seed'>

/** What only a build needs is checked if it is there, and may be left out. */
const cutSchema = z.strictObject({
  ...schema.shape,
  osm: schema.shape.osm.default({ source: '.', clip: null }),
  output: schema.shape.output.default('.'),
})

/**
 * Reads the settings of a cut from a region file, or from a file that has only these.
 *
 * @throws as `parseConfig`
 */
export function parseCutSettings(text: string, file: string): CutSettings {
  const { name, filter, seed } = resolvePaths(parse(cutSchema, text, file), dirname(resolve(file)))
  return { name, filter, seed }
}

function parse<T>(of: z.ZodType<T>, text: string, file: string): T {
  const document = parseDocument(text, { prettyErrors: true })
  if (document.errors.length > 0) {
    const faults = document.errors.map((error) => error.message.split('\n')[0] ?? '')
    throw badConfig(file, faults)
  }
  const checked = checkWith(of, document.toJS() ?? {}, 'file')
  if ('faults' in checked) throw badConfig(file, checked.faults)
  return checked.value
}

function badConfig(file: string, faults: readonly string[]): InputError {
  const list = faults.map((fault) => `  ${fault}`).join('\n')
  return new InputError(
    'bad-config',
    `${file} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${list}`,
  )
}

const isUrl = (text: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(text)

function resolvePaths(config: Config, folder: string): Config {
  const path = (text: string) => (isUrl(text) || isAbsolute(text) ? text : resolve(folder, text))
  const placed = mapPlaces(config, (text, kind) => (kind === 'file-or-name' && !isPath(text) ? text : path(text)))
  const { earthEngine } = placed.imagery
  const credentials = earthEngine.credentials === null ? null : path(earthEngine.credentials)
  return {
    ...placed,
    imagery: { ...placed.imagery, earthEngine: { ...earthEngine, credentials } },
    output: path(config.output),
  }
}

/** The shape of a region file, for what must know every setting there is. */
export { schema as configSchema }
