/** The names of a dataset's files and of their columns: what writes, cuts, exports and checks a dataset reads them here. */

/** Written last, removed first: where it is, the dataset is whole. */
export const LOCK = 'dataset.lock.json'
export const MANIFEST = 'manifest.parquet'
export const ATTRIBUTION = 'ATTRIBUTION.md'
/** How many objects are not in the dataset, by reason. */
export const DROPPED_CSV = 'dropped.csv'
export const REPORT = 'report/index.html'
export const README = 'README.md'
/** Pairs that are in no file since they look like an image of a benchmark, and which. */
export const EXCLUDED_CSV = 'excluded.csv'
/** Written by exports beside the dataset. */
export const CROISSANT = 'croissant.json'
export const SUMS = 'SHA256SUMS'

/** Begins the names of the columns of scores; the scorer's name ends them. */
export const SIMILARITY = 'similarity_CLIP_'

/** The original's columns of a CSV of pairs. */
export const pairColumns = (scorer: string): string[] => [
  'filepath',
  'title',
  'title_multi_objects',
  `${SIMILARITY}${scorer}`,
]

/** Of a CSV that has every caption of an image, each in a row of its own. */
export const CAPTION_COLUMNS: readonly string[] = ['filepath', 'title']

/** Which pairs a CSV has. */
export interface CsvSet {
  /** `train`: all training pairs; `top` and `above`: the best of them. */
  readonly part: 'train' | 'top' | 'above' | 'val' | 'test'
  /** Percent of all pairs for `top`, least similarity for `above`, most rows for `val` and `test`, 0 for `train`. */
  readonly size: number
  /** Null for `train`, which no scorer chooses. */
  readonly scorer: string | null
}

export const ALL_TRAINING: CsvSet = { part: 'train', size: 0, scorer: null }

/** `train_unfiltered`, `train_top30pct`, `train_above0.25`, `val`, `test`. */
export function partName({ part, size }: CsvSet): string {
  if (part === 'train') return 'train_unfiltered'
  if (part === 'top') return `train_top${size}pct`
  return part === 'above' ? `train_above${size}` : part
}

/** `5K` for 5000: how the original's file names give sizes. */
const sizeName = (rows: number): string => (rows > 0 && rows % 1000 === 0 ? `${rows / 1000}K` : String(rows))

/** The original's name of a CSV of pairs, such as `SkyScript_val_5K_filtered_by_CLIP_openai.csv`. */
export function csvPath(name: string, set: CsvSet): string {
  // The original's name for the unfiltered file holds its own size; ours keeps it, so that readers find the file.
  if (set.part === 'train') return `${name}_train_unfiltered_5M.csv`
  const rows = set.part === 'val' || set.part === 'test' ? `_${sizeName(set.size)}` : ''
  return `${name}_${partName(set)}${rows}_filtered_by_CLIP_${set.scorer}.csv`
}

/** Every caption of the images of a CSV of training pairs. */
export const captionsPath = (csv: string): string => csv.replace(/\.csv$/, '_captions.csv')

/**
 * The rows of a CSV as JSON lines, in the form that Hugging Face's `datasets` calls the metadata of an image folder: it
 * loads the image that `file_name` gives, relative to the file itself.
 */
export const recordsPath = (csv: string): string => csv.replace(/\.csv$/, '.jsonl')

/** What a file of rows has: the set's pairs as CSV, all their captions as CSV, or the pairs as JSON lines. */
export interface RowsFile {
  readonly kind: 'pairs' | 'captions' | 'records'
  readonly set: CsvSet
}

const ROWS_FILE =
  /^(?:train_(?:unfiltered_5M|top(?<top>\d+)pct|above(?<above>-?[\d.]+))|(?<part>val|test)_(?<rows>\d+)(?<thousands>K?))(?:_filtered_by_CLIP_(?<scorer>\w+?))?(?<captions>_captions)?\.(?<type>csv|jsonl)$/

/** What a path of a dataset called `name` says by `csvPath`, `captionsPath` or `recordsPath`; null for any other. */
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
  // One grammar: what is made anew from the parts must be the same path.
  return pathOf(name, file) === path ? file : null
}

const PATHS = { pairs: (csv: string) => csv, captions: captionsPath, records: recordsPath }
const pathOf = (name: string, { kind, set }: RowsFile) => PATHS[kind](csvPath(name, set))
