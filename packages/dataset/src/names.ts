/** Written last, removed first: where it is, the dataset is whole. */
export const LOCK = 'dataset.lock.json'

export const MANIFEST = 'manifest.parquet'
/** Begins the names of the columns of scores; the scorer's name ends them. */
export const SIMILARITY = 'similarity_CLIP_'

/** Pairs that are in no file since they look like an image of a benchmark, and which. */
export const EXCLUDED_CSV = 'excluded.csv'

/**
 * The rows of a CSV as JSON lines, in the form that Hugging Face's `datasets` calls the metadata of an image folder: it
 * loads the image that `file_name` gives, relative to the file itself.
 */
export const recordsPath = (csv: string): string => csv.replace(/\.csv$/, '.jsonl')
