/** The settings that mix a training file from kinds of pairs, and rankings from several scorers. */
import { z } from 'zod'
import { GSD_BANDS } from './gsd-band.ts'

/** What pairs can be balanced by. */
export const BALANCED_BY = ['source', 'gsd', 'place', 'tag', 'class'] as const

/** A limit for every value, or for the values that are named. */
const limit = (number: z.ZodNumber, what: string) =>
  z.union([number, z.record(z.string().min(1), number)], `must be ${what}, or one each for some values`)

const quota = z
  .strictObject({
    by: z
      .enum(BALANCED_BY)
      .describe(
        "What the limit is for: each imagery `source`, `gsd` (in m/pixel: 0.1, 0.2, 0.6, 1, 10 or 30, the finest that is not finer than the image's), `place` (a cell of a grid in degrees), `tag` (the rarest of an object's tags) or `class` (of `SkyScript_cls`; objects of none or several are not limited)",
      ),
    degrees: z
      .number()
      .min(0.001)
      .max(90)
      .optional()
      .describe('Side of the cells of `by: place`, in degrees; default: 1'),
    most: limit(z.int().min(0), 'a whole number')
      .optional()
      .describe('Largest number of pairs of each value, or of some: `{ S2: 500 }`; default: no limit'),
    share: limit(z.number().min(0).max(1), 'a number from 0 to 1')
      .optional()
      .describe("Largest share of a file's pairs of each value, or of some: `{ S2: 0.2 }`; default: no limit"),
  })
  .superRefine(({ by, degrees, most, share }, context) => {
    const fault = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (most === undefined && share === undefined) fault(['most'], 'set most or share (or both)')
    if (degrees !== undefined && by !== 'place') fault(['degrees'], 'has an effect only with by: place; remove it')
    for (const [name, value] of Object.entries({ most, share })) {
      if (typeof value !== 'object') continue
      for (const key of Object.keys(value)) {
        if (by === 'gsd' && !GSD_BANDS.some((gsd) => String(gsd) === key))
          fault([name, key], `must be one of ${GSD_BANDS.join(', ')}`)
        if (by === 'place') fault([name], 'must be one number for all cells with by: place')
      }
    }
  })

// Without a default, so that datasets without it keep their fingerprints.
export const balance = z
  .array(quota)
  .min(1)
  .optional()
  .describe(
    '[Limits](../how-to/evaluate.md#mix-training-files) to the pairs of one kind in each file of `top` and `above`: the most similar ones stay, and the next best pairs of other kinds take the places in files of `top`; default: none',
  )

const blend = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9_]{1,32}$/, 'must be 1 to 32 letters, digits or underscores')
      .refine((name) => !name.endsWith('_captions'), 'must not end with "_captions", as files of captions do')
      .describe('Ends the names of its files and their column, as the name of a scorer does'),
    of: z
      .array(z.string().min(1))
      .min(2)
      .refine((names) => new Set(names).size === names.length, 'names a scorer twice')
      .describe('Names of the scorers'),
    weights: z
      .array(z.number().positive())
      .optional()
      .describe('Weight of each scorer, in the same order; default: equal weights'),
  })
  .refine(({ of, weights }) => weights === undefined || weights.length === of.length, {
    path: ['weights'],
    message: 'must have as many entries as of',
  })

export const blends = z
  .array(blend)
  .min(1)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'has two blends of one name')
  .optional()
  .describe(
    "Further rankings, each by the mean rank of several scorers, with files as a scorer's; the value of a pair is its mean share of pairs that it equals or beats, as `rank(pct=True)` in pandas; default: none",
  )

// Without a default, likewise.
export const semanticDuplicates = z
  .strictObject({
    above: z
      .number()
      .min(0.5)
      .max(1)
      .describe(
        "Cosine of two images' embeddings from which they count as duplicates; between 0.9 and 0.98 for most CLIP models",
      ),
    scorer: z
      .string()
      .optional()
      .describe(
        'Name of the scorer whose image embeddings are compared, and whose similarity decides; default: the first',
      ),
  })
  .optional()
  .describe(
    'Leaves images that look like those of more similar pairs out of the files of `top` and `above` ([how](../how-to/evaluate.md#leave-out-images-that-look-alike)), and lists them in `semantic-duplicates.csv`; default: none',
  )

export type Quota = z.infer<typeof quota>
export type Blend = z.infer<typeof blend>

/** Blends and semantic duplicates name scorers of the settings, and blends are not called like one. */
export function checkMixtures(
  filter: {
    readonly scorers: readonly { readonly name: string }[]
    readonly blends?: readonly Blend[] | undefined
    readonly semanticDuplicates?: { readonly scorer?: string | undefined } | undefined
  },
  fault: (path: (string | number)[], message: string) => void,
): void {
  const { scorers, blends: list = [], semanticDuplicates: similar } = filter
  const names = scorers.map(({ name }) => name)
  if (similar?.scorer !== undefined && !names.includes(similar.scorer))
    fault(['semanticDuplicates', 'scorer'], 'is no name of filter.scorers')
  for (const [i, { name, of }] of list.entries()) {
    if (names.includes(name)) fault(['blends', i, 'name'], 'is the name of a scorer; choose another')
    for (const [j, each] of of.entries())
      if (!names.includes(each)) fault(['blends', i, 'of', j], 'is no name of filter.scorers')
  }
}
