import { readFile } from 'node:fs/promises'
import { type Config, InputError, messageOf, type Progress } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { createTerminal, type Terminal } from '../terminal/terminal.ts'

/** @throws InputError `missing-file` or `bad-config` with every fault in one message */
export async function readRegion(file: string): Promise<Config> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : messageOf(error)
    throw new InputError(
      'missing-file',
      `${file}: ${why}; give the path of a region file, such as examples/demo/region.yaml.`,
    )
  })
  return parseConfig(text, file)
}

export const openTerminal = (): Terminal => createTerminal(process.stderr)

/** Model downloads as stages of their own; one that finds all in the cache shows nothing. */
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

/**
 * Ctrl-C and SIGTERM stop a run between two steps; a second one ends the process at once.
 *
 * @param next what the same command will do
 */
export function interruptSignal(
  terminal: Terminal,
  next: 'go on from here' | 'start anew' = 'go on from here',
): { signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const stop = () => {
    if (controller.signal.aborted) process.exit(130)
    terminal.warn(`Stopping; run the same command again to ${next}.`)
    controller.abort(new InputError('interrupted', `Stopped before the end; run the same command again to ${next}.`))
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', stop).off('SIGTERM', stop)
    },
  }
}
