/** The names of a dataset's files and columns, for everything that writes, cuts, exports or checks a dataset. */
import { IMAGE_PATH } from '@skyscript/core'

/** Written last, removed first: if it exists, the dataset is complete. */
export const LOCK = 'dataset.lock.json'
export const MANIFEST = 'manifest.parquet'
export const ATTRIBUTION = 'ATTRIBUTION.md'
/** Number of objects that are not in the dataset, by reason. */
export const DROPPED_CSV = 'dropped.csv'
export const REPORT = 'report/index.html'
/** Contact sheets of the benchmark sets. */
export const BENCHMARKS_REPORT = 'report/benchmarks.html'
/** Results that `evaluate` saved, and a page of them. They depend on models too, so the lock does not list them. */
export const EVALUATIONS = 'evaluations.json'
export const EVALUATIONS_REPORT = 'report/evaluations.html'
export const README = 'README.md'
/** Pairs that are in no other file because their image looks like a benchmark image, with that image. */
export const EXCLUDED_CSV = 'excluded.csv'
/** Training pairs that are in no file of `top` and `above` because their image looks like that of a better pair, with that image. */
export const SIMILAR_CSV = 'semantic-duplicates.csv'
export const SIMILAR_COLUMNS = ['filepath', 'similar_to', 'cosine'] as const
/** See embeddings.ts. */
export const EMBEDDINGS = 'state/embeddings.bin'
/** What the last build or cut changed, and a page about it. They depend on what was there before, so the lock does not list them. */
export const CHANGES = 'changes.json'
export const CHANGES_REPORT = 'report/changes.html'
/** Written by exports beside the dataset. */
export const CROISSANT = 'croissant.json'
export const SUMS = 'SHA256SUMS'

/** Prefix of the similarity columns; the scorer's name follows. */
export const SIMILARITY = 'similarity_CLIP_'

/** Columns of a CSV of pairs, as in the original. */
export const pairColumns = (scorer: string): string[] => [
  'filepath',
  'title',
  'title_multi_objects',
  `${SIMILARITY}${scorer}`,
]

/** Columns of a CSV with one row per caption of an image. */
export const CAPTION_COLUMNS: readonly string[] = ['filepath', 'title']

/** Which pairs a CSV has. */
export interface CsvSet {
  /** `train`: all training pairs; `top` and `above`: the best of these. */
  readonly part: 'train' | 'top' | 'above' | 'val' | 'test'
  /** Percentage of all pairs for `top`, minimum similarity for `above`, maximum rows for `val` and `test`, 0 for `train`. */
  readonly size: number
  /** Null for `train`, which no scorer selects. */
  readonly scorer: string | null
}

export const ALL_TRAINING: CsvSet = { part: 'train', size: 0, scorer: null }

/** `train_unfiltered`, `train_top30pct`, `train_above0.25`, `val`, `test`. */
export function partName({ part, size }: CsvSet): string {
  if (part === 'train') return 'train_unfiltered'
  if (part === 'top') return `train_top${size}pct`
  return part === 'above' ? `train_above${size}` : part
}

/** `5K` for 5000, as in the original's file names. */
const sizeName = (rows: number): string => (rows > 0 && rows % 1000 === 0 ? `${rows / 1000}K` : String(rows))

/** File name of a CSV of pairs, as in the original: `SkyScript_val_5K_filtered_by_CLIP_openai.csv`. */
export function csvPath(name: string, set: CsvSet): string {
  // `5M` is the size of the original's unfiltered file; we keep its name, so that readers find the file.
  if (set.part === 'train') return `${name}_train_unfiltered_5M.csv`
  const rows = set.part === 'val' || set.part === 'test' ? `_${sizeName(set.size)}` : ''
  return `${name}_${partName(set)}${rows}_filtered_by_CLIP_${set.scorer}.csv`
}

/** File name of the CSV with every caption of the images in a CSV of training pairs. */
export const captionsPath = (csv: string): string => csv.replace(/\.csv$/, '_captions.csv')

/**
 * File name of a CSV's rows as JSON lines, which Hugging Face's `datasets` reads as the metadata of an image folder:
 * `file_name` is the image's path, relative to this file.
 */
export const recordsPath = (csv: string): string => csv.replace(/\.csv$/, '.jsonl')

/** Content of a file of rows: the set's pairs as CSV, all their captions as CSV, or the pairs as JSON lines. */
export interface RowsFile {
  readonly kind: 'pairs' | 'captions' | 'records'
  readonly set: CsvSet
}

const ROWS_FILE =
  /^(?:train_(?:unfiltered_5M|top(?<top>\d+)pct|above(?<above>-?[\d.]+))|(?<part>val|test)_(?<rows>\d+)(?<thousands>K?))(?:_filtered_by_CLIP_(?<scorer>\w+?))?(?<captions>_captions)?\.(?<type>csv|jsonl)$/

/** Id of the object that an image shows, from the image's path; null for any other path. */
export function idOfImage(path: string): string | null {
  return IMAGE_PATH.test(path) ? path.slice(path.indexOf('/') + 1, path.indexOf('_')) : null
}

/** The inverse of `csvPath`, `captionsPath` and `recordsPath` for a dataset called `name`; null for any other path. */
export function parseRowsPath(name: string, path: string): RowsFile | null {
  const found = path.startsWith(`${name}_`) ? ROWS_FILE.exec(path.slice(name.length + 1)) : null
  if (!found) return null
  const { top, above, part, rows, thousands, scorer, captions, type } = found.groups!
  const kind = type === 'jsonl' ? 'records' : captions ? 'captions' : 'pairs'
  const set = (of: CsvSet['part'], size: number) => ({ part: of, size, scorer: scorer ?? null })
  const file: RowsFile = {
    kind,
    set: top
      ? set('top', Number(top))
      : above
        ? set('above', Number(above))
        : part
          ? set(part as 'val' | 'test', Number(rows) * (thousands ? 1000 : 1))
          : set('train', 0),
  }
  // Accepts only paths that we would write: the parts must give the same path again.
  return pathOf(name, file) === path ? file : null
}

const PATHS = { pairs: (csv: string) => csv, captions: captionsPath, records: recordsPath }
const pathOf = (name: string, { kind, set }: RowsFile) => PATHS[kind](csvPath(name, set))
