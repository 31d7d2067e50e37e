import type { Preprocessing } from '../clip/preprocessor-config.ts'
import type { Embedder } from '../embedder.ts'
import type { ModelFolder } from '../model/model-folder.ts'
import type { ScorerOptions } from '../scorer-options.ts'

/** What runs a model: a file of this folder and an entry of the list in index.ts. */
export interface Engine {
  /** The file's name without extension. */
  readonly name: string
  /** Whether it runs models with these options; the first engine of the list that does is used. */
  serves(options: ScorerOptions): boolean
  /** The model's files that it needs on this machine. */
  readonly files: readonly string[]
  /** The fingerprint that its embedder would have, without opening the model. */
  fingerprint(found: ModelFolder, options: ScorerOptions): Promise<string>
  open(found: ModelFolder, preprocessing: Preprocessing, options: ScorerOptions): Promise<Embedder>
  /** Checks what can be checked while files are missing; null: it can be opened even then. */
  readonly checkWithout: ((options: ScorerOptions) => void) | null
}
