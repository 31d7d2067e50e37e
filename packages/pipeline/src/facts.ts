import type { Captioner } from '@skyscript/captioner'
import type { ScorerIdentity } from '@skyscript/filter'
import type { Source } from '@skyscript/gee-fetch'
import type { ExtractIndex, Run, SelectIndex } from './run.ts'

/** What a run knows before its first job: all that stages may let decide their results. */
export interface Facts {
  readonly run: Run
  readonly index: ExtractIndex
  readonly selection: SelectIndex
  readonly captioner: Captioner
  /** Of the settings, in their order. */
  readonly sources: readonly Source[]
  readonly scorers: readonly ScorerIdentity[]
}
