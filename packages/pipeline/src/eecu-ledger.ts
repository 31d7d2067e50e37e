import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ServiceError } from '@skyscript/core'
import type { EecuLedger, EecuUse } from '@skyscript/gee-fetch'

const NOTHING: EecuUse = { eecuSeconds: 0, requests: 0, pixels: 0 }

/** `2026-11`, of Earth Engine's month in UTC. */
export const monthOf = (now: Date): string => now.toISOString().slice(0, 7)

/**
 * What the processes of this machine used of a project's month: a file of lines, each a few requests. Lines are added
 * whole by the system, so processes need not wait for each other.
 */
export function fileLedger(folder: string, project: string, now: () => Date): EecuLedger {
  const fault = (what: string, error: NodeJS.ErrnoException) =>
    new ServiceError(
      'eecu-ledger',
      `${path()} can't be ${what} (${error.code}); it counts imagery.earthEngine.maxEecuHours.`,
      {
        retry: false,
      },
    )
  const path = () => join(folder, 'eecu', `${project.replace(/[^\w.-]/g, '_')}-${monthOf(now())}.jsonl`)
  return {
    async read() {
      const text = await readFile(path(), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return ''
        throw fault('read', error)
      })
      let sum = NOTHING
      for (const line of text.split('\n')) sum = added(sum, line)
      return sum
    },
    async add(use) {
      try {
        await mkdir(join(folder, 'eecu'), { recursive: true })
        await appendFile(path(), `${JSON.stringify(use)}\n`)
      } catch (error) {
        throw fault('written', error as NodeJS.ErrnoException)
      }
    },
  }
}

/** A line that a full disk cut short counts for nothing. */
function added(sum: EecuUse, line: string): EecuUse {
  try {
    const use = JSON.parse(line) as EecuUse
    return {
      eecuSeconds: sum.eecuSeconds + use.eecuSeconds,
      requests: sum.requests + use.requests,
      pixels: sum.pixels + use.pixels,
    }
  } catch {
    return sum
  }
}
