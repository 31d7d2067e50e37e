import { percent as percentText, RANKS, type Retrieval, RowFaults, textTable } from '@skyscript/benchmark'
import { formatCount, formatCounted, InputError, type Storage, seededFraction, type Terminal } from '@skyscript/core'
import { MANIFEST, SIMILARITY } from '@skyscript/dataset'
import { openFinished, openManifest } from '@skyscript/dataset/export'
import pMap from 'p-map'
import type { LeastValue } from '../command.ts'
import { openDataset } from '../storages/storages.ts'
import { writeAll } from '../terminal/json-lines.ts'
import { rowsWithFiles } from './embed-images.ts'
import { checkLeast, exitCodeFor, FIGURES, figureIn } from './figures.ts'
import type { ImageSource } from './image-source.ts'
import { measureRetrieval, type OpenModel } from './measure.ts'

/** Percentages of the test side's pairs, best first; the last is all of them. */
const PERCENTS = [20, 30, 50, 100] as const
/** With fewer in a pool, one pair decides what a cut seems to be worth. */
const FEWEST_PAIRS = 30
/** Images read concurrently. */
const FILES_AT_ONCE = 64

export interface ByCutOptions {
  /** Folder or s3:// URL of a dataset. */
  readonly byCut: string
  /** Scorer that ranks; the settings' first if undefined. */
  readonly scorer: string | undefined
  readonly captionColumn: string
  readonly captionPrefix: string
  readonly skipMissing: boolean
  readonly bootstrap: number | undefined
  readonly atLeast: readonly LeastValue[]
  readonly json: boolean
  readonly terminal: Terminal
  readonly withModel: <T>(use: (model: OpenModel) => Promise<T>) => Promise<T>
}

/** A pair on the test side. */
interface TestPair {
  readonly id: string
  readonly path: string
  readonly caption: string
  readonly similarity: number
  /** In the manifest, from 1. */
  readonly line: number
}

/** What the model retrieves of the best pairs of the test side. */
interface CutResult extends Retrieval {
  readonly percent: number
  /** Number of pairs in the cut, of which the pool is a sample. */
  readonly pairs: number
  /** Lowest similarity among them. */
  readonly least: number
  readonly skipped: Readonly<Record<string, number>>
}

/**
 * Measures retrieval among the best pairs of a dataset's test side, for several percentages, and prints the results side by side.
 * Recall depends on how many images there are to choose from, so each pool is a seeded sample of as many pairs as the smallest
 * cut has.
 *
 * @returns the exit code
 * @throws InputError `no-test-pairs`, `usage`, and those of opening a dataset and of images
 */
export async function runByCut(options: ByCutOptions): Promise<number> {
  const { byCut, skipMissing, json, atLeast, terminal, withModel, bootstrap } = options
  checkLeast(
    atLeast,
    PERCENTS.flatMap((percent) => FIGURES.retrieval.map((figure) => `${keyOf(percent)}.${figure}`)),
  )
  const storage = await openDataset(byCut)
  const { name, scorer, seed, pairs } = await readTestPairs(storage, options)
  const cuts = PERCENTS.map((percent) => ({
    percent,
    pairs: pairs.slice(0, Math.max(1, Math.round((percent * pairs.length) / 100))),
  }))
  const pool = cuts[0]!.pairs.length
  // One order for all cuts, so that their pools share as many images as can be.
  const drawn = new Map(pairs.map(({ id }) => [id, seededFraction(seed, 'by-cut', id)]))
  const images = imagesIn(storage)
  const results = await withModel(async (model) => {
    const done: CutResult[] = []
    // Kept until the end, since pools share images.
    const store = { ...model.store, flush: async () => {} }
    for (const { percent, pairs: all } of cuts) {
      const sample = all.toSorted((a, b) => drawn.get(a.id)! - drawn.get(b.id)!).slice(0, pool)
      const faults = new RowFaults(`${byCut}/${MANIFEST}`, { skip: skipMissing, unit: 'row' })
      const rows = await rowsWithFiles(sample, images, faults)
      const set = { name: `the ${labelOf(percent)} of ${byCut}`, rows, images, faults }
      const { result, skipped } = await measureRetrieval(set, { bootstrap }, { ...model, store })
      done.push({ percent, pairs: all.length, least: all.at(-1)!.similarity, ...result, skipped })
    }
    return done
  })
  const { length } = pairs
  const printed = json
    ? `${JSON.stringify({ dataset: name, scorer, pairs: length, pool, cuts: results.map(forJson(skipMissing)) })}\n`
    : `${formatCounted(length, 'test pair')} of ${name}, ranked by ${SIMILARITY}${scorer}. Recall depends on how many images there are to choose\nfrom, so each cut has a pool of ${formatCounted(pool, 'pair')}.\n\n${tableOf(results)}`
  await writeAll(process.stdout, printed)
  if (pool < FEWEST_PAIRS)
    terminal.warn(
      `${formatCounted(pool, 'pair')} in a pool are too few to compare cuts; raise filter.split.test, and run skyscript cut.`,
    )
  if (pool <= RANKS.at(-1)!)
    terminal.note(`With ${formatCounted(pool, 'pair')} to choose from, R@k is 100 % for a k of that number or more.`)
  return exitCodeFor(atLeast, (figure) => figureOf(results, figure), terminal)
}

const keyOf = (percent: number) => (percent === 100 ? 'all' : `top${percent}`)
const labelOf = (percent: number) => (percent === 100 ? 'all' : `top ${percent} %`)
const forJson =
  (skipMissing: boolean) =>
  ({ skipped, ...result }: CutResult) =>
    skipMissing ? { ...result, skipped } : result

/** The number at `top20.image_to_text.R@1`. */
function figureOf(results: readonly CutResult[], name: string): number {
  const [key, ...rest] = name.split('.')
  return figureIn(results.find(({ percent }) => keyOf(percent) === key)!, rest.join('.'))
}

function tableOf(results: readonly CutResult[]): string {
  const keys = RANKS.map((k) => `R@${k}` as const)
  const header = ['', 'similarity', 'images', 'texts', ...keys]
  const direction = (name: string, of: 'image_to_text' | 'text_to_image') => [
    [name, ...header.slice(1)],
    ...results.map((result) => [
      labelOf(result.percent),
      `>= ${result.least.toFixed(3)}`,
      formatCount(result.images),
      formatCount(result.texts),
      ...keys.map((key) => percentText(result[of][key])),
    ]),
  ]
  return `${textTable(direction('image to text', 'image_to_text'))}\n${textTable(direction('text to image', 'text_to_image'))}`
}

/** The pairs of the manifest's split `test`, most similar first; ties are broken by id. */
async function readTestPairs(storage: Storage, { scorer: given, captionColumn, captionPrefix }: ByCutOptions) {
  const dataset = await openFinished(storage)
  const { name, seed, filter } = dataset.lock.config
  const manifest = await openManifest(dataset)
  try {
    const scorer = given ?? filter.scorers[0]!.name
    if (!manifest.scorers.includes(scorer))
      throw new InputError('usage', `--scorer ${scorer}: use one of ${manifest.scorers.join(', ')}.`)
    if (!manifest.columns.includes(captionColumn))
      throw new InputError('usage', `--caption-column ${captionColumn}: use title_multi_objects or title.`)
    const pairs: TestPair[] = []
    let line = 0
    const column = SIMILARITY + scorer
    for await (const row of manifest.read(['id', 'filepath', captionColumn, 'split', column])) {
      line++
      if (row.split !== 'test') continue
      const caption = captionPrefix + String(row[captionColumn])
      pairs.push({ id: String(row.id), path: String(row.filepath), caption, similarity: Number(row[column]), line })
    }
    if (pairs.length === 0)
      throw new InputError(
        'no-test-pairs',
        `${storage.url} has no test pairs; set filter.split.test above ${filter.split.test ?? 0}, then run skyscript cut.`,
      )
    pairs.sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
    return { name, seed, scorer, pairs }
  } finally {
    await manifest.close()
  }
}

/** Images of a dataset in a folder or bucket. */
function imagesIn(storage: Storage): ImageSource {
  return {
    place: storage.url,
    async missing(paths) {
      const there = await pMap(paths, (path) => storage.has(path), { concurrency: FILES_AT_ONCE })
      return new Set(paths.filter((_, i) => !there[i]))
    },
    hint: async () => 'run skyscript build again',
    async *read(paths) {
      for (let at = 0; at < paths.length; at += FILES_AT_ONCE) {
        const some = paths.slice(at, at + FILES_AT_ONCE)
        yield* await Promise.all(some.map(async (path) => (await storage.get(path)) ?? 'it is gone'))
      }
    },
  }
}
