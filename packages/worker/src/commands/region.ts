import { readFile } from 'node:fs/promises'
import { type Config, InputError, messageOf, type Progress, type Terminal } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { createTerminal } from '../terminal/terminal.ts'

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
