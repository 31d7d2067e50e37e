import { type Checked, checkWith } from '@skyscript/core'
import { z } from 'zod'

const text = z.string()
const count = z.int().min(0)
const counts = z.record(z.string(), count)
const list = <T extends z.ZodType>(of: T) => z.array(of).readonly()
/** A setting that older datasets lack. */
const later = <T extends z.ZodType>(of: T) => of.nullable().default(null)

const limit = (of: z.ZodNumber) => z.union([of, z.record(text, of)], 'must be a number, or one each for some values')

const quota = z.object({
  by: z.enum(['source', 'gsd', 'place', 'tag', 'class']),
  degrees: z.number().positive().optional(),
  most: limit(count).optional(),
  share: limit(z.number()).optional(),
})

const blend = z.object({ name: text, of: list(text), weights: list(z.number()).optional() })

/** The settings that decide which files a dataset has, and how it was made; others are kept unchecked. */
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
    balance: list(quota).optional(),
    blends: list(blend).optional(),
    semanticDuplicates: z.object({ above: z.number(), scorer: text.optional() }).optional(),
    exclude: later(text),
    val: count,
    test: count,
    split: z.looseObject({
      by: z.enum(['block', 'image']),
      degrees: z.union([z.literal('auto'), z.number()], 'must be "auto" or a number'),
    }),
  }),
})

/** `dataset.lock.json`: what the dataset was made from and what it consists of. Contains no build time and no local path. */
const schema = z.object({
  tool: z.object({ name: text, version: text }),
  /** Hash of everything that decided the dataset. */
  fingerprint: text,
  config,
  /** The OSM extracts, with the date, sequence number and box from their headers. */
  inputs: list(
    z.object({
      name: text,
      bytes: count,
      sha256: text,
      replicationTimestamp: text.nullable(),
      replicationSequence: z.number().nullable(),
      box: z.tuple([z.number(), z.number(), z.number(), z.number()]).readonly().nullable(),
      /** Change files that were applied, and a running hash over the extract's sha256 and theirs. */
      changes: z.object({ files: count, sha256: text }).optional(),
    }),
  ),
  /** For each source of image files: a hash of the addresses and versions of its files. */
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
  /** Number of pairs by split; the sum is `counts.kept`. */
  splits: counts,
  /** How much of the dataset repeats. */
  duplicates: z.object({
    /** Images whose file equals another image's, and the number of distinct files among them. */
    exact: z.object({ images: count, groups: count }),
    /** Images that look like another: groups linked by hashes that differ in at most 4 of 64 bits. */
    near: z.object({ images: count, groups: count, largest: count }),
    /** Pairs whose title another pair has too, distinct titles, and pairs with the most frequent title. */
    captions: z.object({ pairs: count, distinct: count, most: count }),
  }),
  /** Benchmark sets by folder. */
  benchmarks: z.record(text, z.object({ images: count, classes: count })).optional(),
  /** Number of rows of every CSV and of the manifest. */
  rows: counts,
  notes: list(text),
  /** sha256 of every file except the images and metas; those of images are in the manifest. */
  files: z.record(z.string(), text),
})

export type DatasetLock = z.infer<typeof schema>
/** A limit of `filter.balance`. */
export type LockedQuota = z.infer<typeof quota>
/** A ranking of `filter.blends`. */
export type LockedBlend = z.infer<typeof blend>
export type DuplicateSummary = DatasetLock['duplicates']

/** Checks that a lock has what the readers of a dataset need. */
export const parseLock = (json: unknown): Checked<DatasetLock> => checkWith(schema, json)
