import { type Checked, checkWith } from '@skyscript/core'
import { z } from 'zod'

const text = z.string()
const count = z.int().min(0)
const list = <T extends z.ZodType>(of: T) => z.array(of).readonly()

/** `benchmark.json`: what a benchmark set consists of. */
const schema = z.object({
  /** Without its folder. */
  name: text,
  task: z.enum(['classification', 'retrieval']),
  /** A data set of the original whose prompts are used, or prompts with `{c}`. Empty for retrieval. */
  prompts: z.union([text, list(text)]),
  /** Columns of labels; empty for retrieval. */
  labels: list(
    z.object({
      column: text,
      /** Name of the class list beside this file. */
      file: text,
      /** In the order of the class list. */
      classes: list(
        z.object({
          name: text,
          images: count,
          /** Images that any scorer ranks in the lowest fifth of the pairs on the set's ground. */
          doubtful: count,
          /** Of these, images that not every scorer ranks there. */
          disputed: count,
        }),
      ),
    }),
  ),
  images: count,
  /** The split whose ground the images show: that of test, or ground that is in no other set. */
  from: z.enum(['test', 'benchmark']),
  /** Pairs on this ground that are not in the set, by reason. */
  excluded: z.record(z.string(), count),
  /** Of the CSV. */
  sha256: text,
})

export type BenchmarkRecord = z.infer<typeof schema>

/** The record in a file's text. */
export function parseBenchmarkText(text: string): Checked<BenchmarkRecord> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { faults: ['it is not JSON'] }
  }
  return checkWith(schema, json)
}
