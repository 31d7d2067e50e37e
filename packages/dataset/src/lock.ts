import { z } from 'zod'

const text = z.string()
const count = z.int().min(0)
const counts = z.record(z.string(), count)
const list = <T extends z.ZodType>(of: T) => z.array(of).readonly()
/** A setting that older datasets don't have. */
const later = <T extends z.ZodType>(of: T) => of.nullable().default(null)

/** The settings that say which files a dataset has and how it was made; others are kept as they are. */
const config = z.looseObject({
  name: text,
  seed: z.number(),
  imagery: z.looseObject({ earthEngine: z.looseObject({ endpoint: text }) }),
  captions: z.looseObject({
    templates: list(text).default(['skyscript']),
    maxTokens: later(count),
  }),
  filter: z.looseObject({
    scorers: z
      .array(z.looseObject({ name: text, model: text }))
      .min(1)
      .readonly(),
    top: list(count),
    above: list(z.number()).default([]),
    maxPerTag: later(count),
    maxSameCaption: later(count),
    exclude: later(text),
    val: count,
    test: count,
    split: z.looseObject({ by: z.enum(['block', 'image']), degrees: z.union([z.literal('auto'), z.number()]) }),
  }),
})

/** `dataset.lock.json`: what the dataset was made from and what it consists of. Holds no time of day and no path of a machine. */
const schema = z.object({
  tool: z.object({ name: text, version: text }),
  /** Of everything that decided the dataset. */
  fingerprint: text,
  config,
  /** The OSM extracts; how far each goes and where, as its header says. */
  inputs: list(
    z.object({
      name: text,
      bytes: count,
      sha256: text,
      replicationTimestamp: text.nullable(),
      replicationSequence: z.number().nullable(),
      box: z.tuple([z.number(), z.number(), z.number(), z.number()]).readonly().nullable(),
    }),
  ),
  /** By source of files, a hash of the addresses and versions that its images come from. */
  origins: z.record(z.string(), text).default({}),
  /** Fingerprint of the groundability table and the caption rules. */
  tables: z.object({ captioner: text }),
  models: list(
    z.object({
      name: text,
      fingerprint: text,
      model: z.object({
        id: text,
        revision: text.nullable(),
        files: list(z.object({ name: text, sha256: text })),
      }),
    }),
  ),
  /** Tagged objects read = kept + dropped + failed. */
  counts: z.object({ objects: count, kept: count, dropped: counts, failed: counts }),
  /** Pairs by split; they add up to the kept ones. */
  splits: counts,
  /** How much of a dataset is there more than once. */
  duplicates: z.object({
    /** Images whose files are equal to another's, and how many different files these are. */
    exact: z.object({ images: count, groups: count }),
    /** Images that look like another: hashes within 4 of 64 bits, and what is so near to one of them. */
    near: z.object({ images: count, groups: count, largest: count }),
    /** Pairs whose title another pair has, different titles, pairs with the most frequent one. */
    captions: z.object({ pairs: count, distinct: count, most: count }),
  }),
  /** Of every CSV and the manifest. */
  rows: counts,
  notes: list(text),
  /** sha256 of every file but the images and metas, whose hashes are in the manifest. */
  files: z.record(z.string(), text),
})

export type DatasetLock = z.infer<typeof schema>
export type DuplicateSummary = DatasetLock['duplicates']

/** What a lock says, and all that is wrong with it, each in one sentence; null where something is. */
export function parseLock(json: unknown): { readonly lock: DatasetLock | null; readonly faults: readonly string[] } {
  const { success, data, error } = schema.safeParse(json, { reportInput: true })
  return success ? { lock: data, faults: [] } : { lock: null, faults: error.issues.map(sentenceOf) }
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  const path = issue.path.join('.')
  if (issue.input === undefined) return `lacks the member "${path}"`
  return `${path === '' ? '' : `${path}: `}expected ${expectedBy(issue)}, got ${shortened(issue.input)}`
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
}

function expectedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return TYPES[issue.expected] ?? issue.expected
  if (issue.code === 'invalid_value') return issue.values.map((value) => JSON.stringify(value)).join(' or ')
  if (issue.code === 'invalid_union') return issue.errors.flatMap((each) => each.map(expectedBy)).join(' or ')
  const { minimum, maximum } = issue as { minimum?: unknown; maximum?: unknown }
  const unit = 'origin' in issue && issue.origin === 'array' ? ' elements' : ''
  if (issue.code === 'too_small') return `at least ${minimum}${unit}`
  return issue.code === 'too_big' ? `at most ${maximum}${unit}` : issue.message
}

function shortened(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value)
  return shown.length <= 60 ? shown : `${shown.slice(0, 59)}…`
}
