/** A dataset as its own files say it is, for what a reader gives to be compared with. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'

export type PairRow = Readonly<Record<string, string>>

export const TOWN_CSVS = {
  unfiltered: 'Town_train_unfiltered_5M.csv',
  top30: 'Town_train_top30pct_filtered_by_CLIP_openai.csv',
  top50: 'Town_train_top50pct_filtered_by_CLIP_openai.csv',
  top30_laion_RS: 'Town_train_top30pct_filtered_by_CLIP_laion_RS.csv',
  top50_laion_RS: 'Town_train_top50pct_filtered_by_CLIP_laion_RS.csv',
} as const

export const evaluationCsv = (part: 'val' | 'test', scorer: string) =>
  `Town_${part}_${{ val: 4, test: 5 }[part]}_filtered_by_CLIP_${scorer}.csv`

/** Rows of a CSV by the names of its columns. */
export const rowsOf = (folder: string, csv: string): PairRow[] =>
  parse(readFileSync(join(folder, csv)), { columns: true })

export async function manifestOf(folder: string): Promise<Record<string, unknown>[]> {
  const path = join(folder, 'manifest.parquet')
  if (!existsSync(path)) throw new Error(`${path} is not there.`)
  return parquetReadObjects({ file: await asyncBufferFromFile(path) })
}
