import type { BenchmarkSet, OpenSet } from './sets.ts'

/** A form in which benchmark sets are exported: which files a set becomes. */
export interface SetLayout {
  /** The value of --format. */
  readonly name: string
  /** Why a set can't have this form; null if it can. */
  refusal(set: BenchmarkSet): string | null
  /** The set's files, in the folders of `foldersOf` or, if it has none, beside them. Each content is read once, in order. */
  files(set: OpenSet, context: LayoutContext): AsyncIterable<LayoutFile>
  /** Folders of a set, relative to the target; they hold nothing else. */
  foldersOf(set: OpenSet): readonly string[]
  /**
   * `README.md` beside the sets.
   *
   * @param paths files of all sets in the target
   */
  readme(name: string, paths: readonly string[]): string
}

export interface LayoutFile {
  /** Relative to the target. */
  readonly path: string
  readonly content: Uint8Array | string | AsyncIterable<Uint8Array>
}

export interface LayoutContext {
  /** The given rows with their images, which are as the manifest says, in the same order. */
  images<T extends { readonly filepath: string; readonly sha256: string }>(
    rows: Iterable<T>,
  ): AsyncGenerator<{ readonly row: T; readonly image: Uint8Array }>
  /** Prompts of the set with `{c}` for the class. */
  readonly prompts: readonly string[]
  /** Maximum size of a shard in bytes. */
  readonly shardBytes: number
  /** Text of a file of the dataset; null if it has none. */
  text(path: string): Promise<string | null>
  readonly signal: AbortSignal
  /** Says something that a user should know about the exported set. */
  note(line: string): void
}

/** A text file of one line each. */
export const linesOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
