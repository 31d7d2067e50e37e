import { randomUUID } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isOwnerGone, OWNER } from '@skyscript/core'

/** `.<owner>-<random>.tmp~`: a file that is being written. No key is ever listed that looks so. */
const TEMPORARY = /^\.([0-9a-f]{8}-\d+)-[0-9a-f-]{36}\.tmp~$/
/** Another machine's temporary file that nobody wrote to for so long belongs to a process that is gone. */
const STALE_MS = 3600 * 1000

const start = `.${OWNER}-${randomUUID().slice(0, 24)}`
let written = 0

/** Where the next value of a file is written, to be renamed when it is whole. */
export const temporaryBeside = (target: string): string =>
  join(dirname(target), `${start}${(written++).toString(16).padStart(12, '0')}.tmp~`)

export const isTemporary = (name: string): boolean => TEMPORARY.test(name)

/** Removes a temporary file whose process is gone. */
export async function removeIfAbandoned(path: string, name: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (found && isOwnerGone(TEMPORARY.exec(name)![1]!, found.mtimeMs, STALE_MS))
    await rm(path, { force: true }).catch(() => {})
}
