import { open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { InputError, isOwnerGone, OWNER, systemReason } from '@skyscript/core'

type Write = (bytes: Uint8Array) => Promise<void>

/** Another machine's file that nobody wrote to for so long belongs to a process that is gone. */
const STALE_MS = 86_400_000

/**
 * Writes a file under another name beside it, and gives it its own once it is whole. A link is followed.
 *
 * @param inputs files that must not be replaced
 * @throws InputError `unwritable-output` where it can't be written, is no file, or is one of the inputs
 */
export async function writeOutput(
  path: string,
  inputs: readonly string[],
  fill: (write: Write) => Promise<void>,
): Promise<void> {
  const target = await targetOf(path, inputs)
  const fault = (error: unknown) => {
    throw new InputError('unwritable-output', `${path} can't be written (${systemReason(error)}).`, { cause: error })
  }
  await removeAbandoned(target)
  const part = `${target}.${OWNER}.part`
  const file = await open(part, 'w').catch(fault)
  try {
    await fill((bytes) => file.writeFile(bytes).catch(fault))
    await file.sync().catch(fault)
    await file.close()
    await rename(part, target).catch(fault)
  } catch (error) {
    await file.close()
    await rm(part, { force: true })
    throw error
  }
}

async function targetOf(path: string, inputs: readonly string[]): Promise<string> {
  const found = await stat(path).catch(() => null)
  if (found === null) return path
  // A device would be replaced by a file.
  if (!found.isFile())
    throw new InputError(
      'unwritable-output',
      `${path} can't be written (it is ${found.isDirectory() ? 'a folder' : 'no ordinary file'}).`,
    )
  for (const input of inputs) {
    const other = await stat(input).catch(() => null)
    if (other !== null && other.dev === found.dev && other.ino === found.ino)
      throw new InputError('unwritable-output', `${path} is one of the change files; give the output another name.`)
  }
  return realpath(path)
}

/** What processes that were killed had begun. */
async function removeAbandoned(target: string): Promise<void> {
  const folder = dirname(target)
  const start = `${basename(target)}.`
  for (const name of await readdir(folder).catch(() => [])) {
    const [, owner] = /^([0-9a-f]{8}-\d+)\.part$/.exec(name.startsWith(start) ? name.slice(start.length) : '') ?? []
    if (owner === undefined) continue
    const path = join(folder, name)
    const found = await stat(path).catch(() => null)
    if (found && isOwnerGone(owner, found.mtimeMs, STALE_MS)) await rm(path, { force: true }).catch(() => {})
  }
}
