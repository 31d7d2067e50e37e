import type { Prompts } from '@skyscript/benchmark'
import type { CaptionedSet, ClassifiedSet, CsvFile } from './sets.ts'

/** A column of a set, read and checked: it can be measured with any model. */
export type ReadySet =
  | { readonly task: 'classification'; readonly set: ClassifiedSet; readonly prompts: Prompts }
  | { readonly task: 'retrieval'; readonly set: CaptionedSet }

export interface FoundColumn {
  /** Of labels or captions. */
  readonly column: string
  readonly task: ReadySet['task']
  /** @throws InputError that names a file and a line */
  read(options: Pick<CsvFile, 'skipMissing' | 'terminal'>): Promise<ReadySet>
}

/** The dataset that a set belongs to. */
export interface SourceDataset {
  readonly name: string
  readonly fingerprint: string
  /** Time of the map that it was made from, ISO 8601; null if the map's file has none. */
  readonly map: string | null
}

export interface FoundSet {
  /** Of its folder, or the path below the root where two folders have the same name. */
  readonly name: string
  readonly folder: string
  /** What its images are: `test`, `benchmark`, or for the original's sets what their files are named after. */
  readonly split: string
  readonly columns: readonly FoundColumn[]
  readonly dataset: SourceDataset | null
}
