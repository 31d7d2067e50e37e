import type { Progress, Terminal } from '@skyscript/core'
import { createTerminal } from './terminal.ts'

/** Progress and messages on stderr. */
export const openTerminal = (): Terminal => createTerminal(process.stderr)

/** Shows each model download as a stage; a model that is whole in the cache shows nothing. */
export function downloadProgress(terminal: Terminal): (what: string) => Progress {
  return (what) => {
    let stage: ReturnType<Terminal['stage']> | undefined
    return {
      update(done, total) {
        stage ??= terminal.stage(what, 'bytes')
        stage.update(done, total)
        if (done === total) stage.end()
      },
    }
  }
}
