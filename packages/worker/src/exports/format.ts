import type { Storage, Terminal } from '@skyscript/core'
import type { FinishedDataset } from '@skyscript/dataset/export'
import { byteCount, type Given, isoDate, type Option, oneOf, option, repeatable, webAddress } from '../command.ts'

/**
 * A form in which a finished dataset is exported: one file that declares its options and writes it. The options of
 * `skyscript export` and its help are those of all formats. As with commands, what is large is loaded when it runs.
 */
export interface ExportFormat {
  /** The value of --format, and the folder below `export/`. */
  readonly name: string
  /** What it is for, in a few words. */
  readonly description: string
  /** Formats that share an option share its declaration. */
  readonly options: Readonly<Record<string, Option<unknown>>>
  readonly run: (job: ExportJob, given: never) => Promise<Exported>
}

export interface ExportJob {
  readonly dataset: FinishedDataset
  readonly target: Storage
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** What was written: for programs, and in lines for people. */
export interface Exported {
  readonly json: Readonly<Record<string, unknown>>
  readonly lines: readonly string[]
}

/** Types what `run` gets by the declared options. */
export const defineFormat = <O extends Readonly<Record<string, Option<unknown>>>>(format: {
  readonly name: string
  readonly description: string
  readonly options: O
  readonly run: (job: ExportJob, given: Given<Readonly<Record<never, never>>, O>) => Promise<Exported>
}): ExportFormat => format

/** Which pairs of the dataset are exported, and with which caption. */
export const pairOptions = {
  set: repeatable(
    option('--set <name>', 'a set, such as top30pct or val; repeatable (default: train_unfiltered, val and test)'),
  ),
  caption: option(
    '--caption <column>',
    'which caption (default: title)',
    oneOf(['title', 'title_multi_objects'] as const),
  ),
}

export const shardOptions = {
  shardBytes: option('--shard-bytes <n>', 'maximum shard size in bytes (default: 100000000)', byteCount),
}

/** What only the publisher of a dataset knows. */
export const publicationOptions = {
  url: option('--url <url>', 'web page of the dataset', webAddress),
  published: option('--published <date>', 'date of publication, YYYY-MM-DD', isoDate),
  creator: option('--creator <name>', 'who publishes it'),
}
