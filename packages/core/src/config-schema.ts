/**
 * Every setting of a region file, with its description, default and limits. The descriptions are those of
 * docs/reference/settings.md and of the JSON schema for editors, which `npm run docs` writes.
 */
import { z } from 'zod'
import { BENCHMARK_SETS } from './benchmark-sets.ts'
import { imagery, isBareUrl } from './config-imagery.ts'
import { balance, blends, checkMixtures, semanticDuplicates } from './config-mixtures.ts'
import { DEVICES } from './device.ts'
import { parseInstant } from './instant.ts'
import { LABELS } from './labels.ts'
import { crossingBoxSetting } from './source-kinds/common.ts'

const queue = z.union(
  [z.literal('embedded'), z.url({ protocol: /^rediss?$/ })],
  'must be "embedded" or a redis:// or rediss:// URL',
)

const outputUrl = z
  .string()
  .min(1)
  .refine((text) => !/^[a-z]+:\/\//.test(text) || text.startsWith('s3://'), 'must be a folder or s3://bucket/prefix')

const remoteModel = z.string().regex(/^[\w.-]{1,128}$/, 'must be the name of a model on the server')

const modelServer = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .refine(
      isBareUrl,
      'must hold no login, query or fragment; set SKYSCRIPT_MODEL_LOGIN=https://user:password@host for a login',
    )
    .describe(
      'Address of the server, without a login: that comes from `SKYSCRIPT_MODEL_LOGIN=https://user:password@host` (several separated by spaces)',
    ),
  vision: remoteModel.describe('Name of the image model on the server'),
  text: remoteModel.describe('Name of the text model on the server'),
})

const scorer = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_]{1,32}$/, 'must be 1 to 32 letters, digits or underscores')
    .refine((name) => !name.endsWith('_captions'), 'must not end with "_captions", as files of captions do')
    .describe('Ends the file and column names: `similarity_CLIP_<name>`'),
  model: z
    .string()
    .min(1)
    .describe(
      "A CLIP folder in the hub's layout (starts with `.` or `/`), or a hub id: `owner/name` or `owner/name@revision`",
    ),
  device: z.enum(DEVICES).default('cpu').describe('Where the model runs'),
  batch: z.int().min(1).max(1024).nullable().default(null).describe('Images per model run; null: measured'),
  server: modelServer
    .nullable()
    .default(null)
    .describe(
      'A server of the Open Inference Protocol v2, such as Triton, that runs the model; `model` then needs only the tokenizer and preprocessor files',
    ),
})

/** A number that its text in a file's name gives back; similarities have no more digits. */
const hasSixDigits = (value: number) => Number(value.toFixed(6)) === value

/** The original's scorer: OpenAI's ViT-L/14 as exported to ONNX on the hub. */
const DEFAULT_SCORERS = [scorer.parse({ name: 'openai', model: 'Xenova/clip-vit-large-patch14' })]

const INSTANT = 'must be a date such as 2023-05-01, or a time with its zone such as 2023-05-01T12:00:00Z'
const instant = z.string(INSTANT).transform((text, context) => {
  const found = parseInstant(text)
  if (found !== null) return found
  context.addIssue(INSTANT)
  return z.NEVER
})

const osm = z
  .strictObject({
    source: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)], 'must be a path, a URL or a list of them')
      .describe(
        'The OSM extract: a path, an `http(s)://` or `s3://` URL, or a list of them, which are read as one map. Downloads resume, and are cached until the server has another version',
      ),
    clip: z
      .union([crossingBoxSetting, z.string().min(1)], 'must be [west, south, east, north] or a GeoJSON file')
      .nullable()
      .default(null)
      .describe(
        'Use only objects that intersect a box, `[west, south, east, north]` in degrees (west > east crosses 180 degrees), or the polygons of a GeoJSON file',
      ),
    // Without a default, so that builds without it keep their results.
    at: instant
      .optional()
      .describe(
        'Use the map as it was at a time: a date (its beginning in UTC) or a time with its zone. `source` must then be a [history extract](../how-to/map-of-a-date.md) (`.osh.pbf`); default: the newest map of a normal extract',
      ),
    changes: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)], 'must be "auto", a path, a URL or a list of them')
      .optional()
      .describe(
        'Changes that are applied to the extract before it is read: `.osc` or `.osc.gz` files by path or URL, in any order, or `auto` for [all that the server named in the extract has published since](../how-to/map-changes.md); default: none',
      ),
  })
  .refine(({ at, changes }) => at === undefined || changes === undefined, {
    path: ['changes'],
    message: 'must not be set with osm.at, whose history files hold all changes',
  })

const selection = z.strictObject({
  cells: z
    .union([z.literal('all'), z.int().min(1)], 'must be "all" or a number of cells')
    .default('all')
    .describe('Number of random cells of 0.01 x 0.01 degrees to take objects from'),
  rareTagsBelow: z
    .int()
    .min(0)
    .default(50)
    .describe('For tags with fewer objects than this in the cells, every object of the extract is taken'),
  maxPerTag: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('Largest number of focus objects per tag; objects with rare tags are chosen first'),
})

const pixels = (value: number) => z.int().min(16).max(10_000).default(value)

const tiles = z
  .strictObject({
    minPixels: pixels(100).describe('Smallest image side of an area, in pixels'),
    maxPixels: pixels(1000).describe('Largest image side of an area, in pixels; areas that fit no source are dropped'),
    pointPixels: pixels(300).describe('Image side for points and lines, in pixels'),
    shift: z
      .number()
      .min(0)
      .max(0.45)
      .default(0.2)
      .describe("Largest random shift of the object from the centre, as a share of the image's side"),
    coarsen: z
      .union([z.literal(2), z.literal(4), z.literal(8)], 'must be 2, 4 or 8')
      .optional()
      .describe(
        'Areas too large for a source are read from it at 2, 4 or 8 times its GSD, up to this and to what the tags allow; default: never, as the original',
      ),
  })
  .refine(({ minPixels, maxPixels }) => minPixels <= maxPixels, {
    path: ['minPixels'],
    message: 'must not exceed tiles.maxPixels',
  })

const captions = z.strictObject({
  labels: z
    .enum(LABELS)
    .default('visible')
    .describe(
      'Tags that captions mention: visible ones, or also [those that the original let through](../explanation/captions.md#what-the-original-let-through)',
    ),
  tags: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'CSV file `key,value,max_gsd` that overrides [which tags are visible](../explanation/captions.md#1-which-tags-can-be-seen-and-how-far)',
    ),
  rules: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('File that overrides [the caption tables](../explanation/captions.md#change-a-rule)'),
  classifier: z
    .strictObject({
      weights: z.string().min(1).describe('File written by `skyscript tags train`'),
      model: z.string().min(1).describe('The CLIP it was trained with: a folder, or a hub id'),
    })
    .nullable()
    .default(null)
    .describe('[Classifier](../explanation/captions.md#the-classifier) for tags that are in no table'),
  templates: z
    .array(z.string().min(1))
    .min(1)
    .default(['skyscript'])
    .describe(
      'Caption styles: shipped ones by name (`skyscript`, `it-shows`), or files (start with `.` or `/`). The first writes the captions, all of them the further ones',
    ),
  maxTokens: z
    .int()
    .min(8)
    .max(4096)
    .nullable()
    .default(null)
    .describe("Longest caption in tokens of the first scorer's model, start and end tokens included"),
  more: z.int().min(0).max(20).default(0).describe('Number of further captions per image'),
  counts: z.boolean().default(false).describe('Say how many similar objects are around'),
  directions: z.boolean().default(false).describe('Say on which side of the focus object the others are'),
})

const split = z
  .strictObject({
    by: z
      .enum(['block', 'image'])
      .default('block')
      .describe(
        '`block` [holds out ground](../explanation/splits.md) for val and test, so that no image shows the ground of another split; `image` splits at random, as the original did',
      ),
    degrees: z
      .union([z.literal('auto'), z.number().min(0.001).max(10)], 'must be "auto" or 0.001 to 10 degrees')
      .default('auto')
      .describe("Side of the held-out blocks in degrees; `auto` fits them to the region's extent and image size"),
    val: z
      .number()
      .min(0)
      .max(20)
      .default(1)
      .describe('Percentage of the ground (with `by: image`, of the best pairs) held out for val'),
    test: z
      .number()
      .min(0)
      .max(20)
      .default(3)
      .describe('Percentage of the ground (with `by: image`, of the best pairs) held out for test'),
    // Without a default, so that datasets without it keep their lock.
    benchmark: z
      .number()
      .positive()
      .max(100)
      .optional()
      .describe(
        'Percentage of the ground (with `by: image`, of the objects) held out for benchmark sets, which is in no other file; default: their images are those on the ground of test',
      ),
  })
  .refine(({ val, test, benchmark = 0 }) => val + test + benchmark <= 100, {
    path: ['benchmark'],
    message: 'must leave the sum of val, test and benchmark at 100 or below',
  })

const filterFields = z.strictObject({
  scorers: z
    .array(scorer)
    .min(1)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'has two scorers of one name')
    .default(DEFAULT_SCORERS)
    .describe("CLIP models that score the pairs. Default: OpenAI's ViT-L/14, as in the original"),
  blends,
  top: z
    .array(z.int().min(1).max(100))
    .default([30, 50])
    .describe(
      'Percentages: a training file for each, with the round(p * n / 100) most similar of n pairs; ties (after rounding to six decimals) are broken by id',
    ),
  above: z
    .array(z.number().min(-1).max(1).refine(hasSixDigits, 'must have no more than six digits, as similarities have'))
    .default([])
    .describe('Similarities: a training file for each, with the pairs at or above it'),
  maxPerTag: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "Largest number of pairs per tag in a ranking; a pair counts for the rarest of its object's tags, so that `building=yes` doesn't fill the top",
    ),
  maxSameCaption: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('Largest number of pairs with the same title in a training file; the most similar ones stay'),
  balance,
  semanticDuplicates,
  exclude: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'Folder of benchmark images (AID, RESISC45, RSICD ...): near-duplicates of them are left out of all files, and listed in `excluded.csv`',
    ),
  val: z
    .int()
    .min(0)
    .default(5000)
    .describe('Largest number of val pairs, from the top 30 % (the best on their ground if it has none of these)'),
  test: z.int().min(0).default(30_000).describe('Largest number of test pairs, chosen likewise'),
  split: split.prefault({}),
})

const filter = filterFields.superRefine((given, context) =>
  checkMixtures(given, (path, message) => context.addIssue({ code: 'custom', path, message })),
)
/** Exports have folders by the names of sets, and some disks ignore case. */
const SHIPPED = new Set(BENCHMARK_SETS.map((name) => name.toLowerCase()))
const ownSet = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be 1 to 64 letters, digits, underscores or dashes')
    .refine((name) => !SHIPPED.has(name.toLowerCase()), 'is the name of a shipped set; choose another')
    .describe('Name of the set; its files are in `benchmarks/<name>/`'),
  classes: z
    .string()
    .min(1)
    .describe(
      'CSV file with the columns `class,tags` or `class,tags,group`: [which tags show which class](../how-to/benchmarks.md#a-set-of-your-own)',
    ),
  prompts: z
    .array(
      z
        .string()
        .refine((prompt) => prompt.includes('{c}'), 'must contain {c}, where the class goes')
        .refine((prompt) => !/[\p{Cc}\u2028\u2029]/u.test(prompt), 'must be one line, without a line break at its end'),
    )
    .min(1)
    .default(['a satellite photo of {c}.', 'a satellite image of {c}'])
    .describe('Texts that a model compares images with; `{c}` stands for the class'),
})

export const benchmarkSettings = z.strictObject({
  sets: z
    .array(z.enum(BENCHMARK_SETS))
    .default([...BENCHMARK_SETS])
    .describe('Which of the shipped sets to make'),
  perClass: z
    .int()
    .min(1)
    .max(100_000)
    .default(100)
    .describe('Images of every class; classes that have fewer are left out, and a set needs five classes'),
  allClasses: z
    .boolean()
    .default(false)
    .describe('List all classes of a set, as the original does, also those without images'),
  retrieval: z.int().min(1).max(1_000_000).default(30_000).describe('Largest number of pairs of the retrieval set'),
  own: z
    .array(ownSet)
    .refine(
      (list) => new Set(list.map(({ name }) => name.toLowerCase())).size === list.length,
      'has two sets of one name (case is ignored)',
    )
    .default([])
    .describe('Sets of your own, by a table of classes'),
})

/** The shape of a region file. */
export const configSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')
    .default('SkyScript')
    .describe('Prefix of the file names'),
  osm,
  imagery: imagery.prefault({}),
  selection: selection.prefault({}),
  tiles: tiles.prefault({}),
  captions: captions.prefault({}),
  filter: filter.prefault({}),
  // Without a default, so that datasets without it keep their fingerprint.
  benchmarks: benchmarkSettings
    .optional()
    .describe(
      '[Benchmark sets](../how-to/benchmarks.md) to make of pairs that are held out; `{}` for all sets; default: none',
    ),
  seed: z.int().min(0).default(51).describe('Decides every random choice'),
  output: outputUrl.describe('Where the dataset goes: a folder, or `s3://bucket/prefix`'),
  queue: queue
    .default('embedded')
    .describe('`embedded` runs everything in one process; `redis://...` uses [workers](../how-to/many-machines.md)'),
})

/** A region's settings, whole and checked: every default filled in, every path absolute. */
export type Config = z.infer<typeof configSchema>
