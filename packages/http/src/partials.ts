import { randomUUID } from 'node:crypto'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isOwnerGone, OWNER } from '@skyscript/core'

/** What a download that broke off has of a file, and of which version of it: `note` is the server's name for that. */
export interface Partial {
  readonly file: string
  /** At most `LONGEST_NOTE` characters; empty: unknown. */
  readonly note: string
}

/** File names are at most 255 bytes long. */
export const LONGEST_NOTE = 100
/** A file that is being written changes far more often. Decides for files of other machines and containers. */
const ABANDONED_MS = 600_000

/** Of a download that ended. */
const NOBODY = OWNER.replace(/\d+$/, '0')
const MARK = /^\.([0-9a-f]{8}-\d+)-[0-9a-f-]{36}\.([A-Za-z0-9_-]*)\.partial$/

const nameFor = (path: string, owner: string, note: string) =>
  `${path}.${owner}-${randomUUID()}.${Buffer.from(note).toString('base64url')}.partial`

/**
 * Takes over the longest of what downloads of `path` that ended left, and removes the others; a new, empty one if there
 * is none. Taking over renames, which only one process can do. The name carries owner and note, so that one rename is
 * all there is to go wrong.
 *
 * @param content a note by which the caller knows the file's version beforehand: leftovers of others are removed
 */
export async function claimPartial(path: string, content?: string): Promise<Partial> {
  const left: { file: string; note: string; size: number }[] = []
  for (const name of await readdir(dirname(path))) {
    const match = name.startsWith(basename(path)) ? MARK.exec(name.slice(basename(path).length)) : null
    if (match === null) continue
    const file = join(dirname(path), name)
    const found = await stat(file).catch(() => null)
    if (found === null || !isAbandoned(match[1]!, found.mtimeMs)) continue
    const note = Buffer.from(match[2]!, 'base64url').toString()
    if (content === undefined || note === content) left.push({ file, note, size: found.size })
    else await rm(file, { force: true })
  }
  left.sort((a, b) => b.size - a.size)
  for (const [i, { file, note }] of left.entries()) {
    const mine = nameFor(path, OWNER, note)
    const taken = await rename(file, mine).then(
      () => true,
      () => false,
    )
    if (!taken) continue
    for (const other of left.slice(i + 1)) await rm(other.file, { force: true })
    return { file: mine, note }
  }
  const note = content ?? ''
  return { file: nameFor(path, OWNER, note), note }
}

/** Gives it another note. */
export async function notePartial(path: string, partial: Partial, note: string): Promise<Partial> {
  const file = nameFor(path, OWNER, note)
  await rename(partial.file, file)
  return { file, note }
}

/** Leaves it for the next process; without a note no process could continue it, so it is removed. */
export async function leavePartial(path: string, partial: Partial): Promise<void> {
  const gone =
    partial.note === '' ? rm(partial.file, { force: true }) : rename(partial.file, nameFor(path, NOBODY, partial.note))
  await gone.catch(() => undefined)
}

const isAbandoned = (owner: string, modified: number): boolean =>
  owner.endsWith('-0') || Date.now() - modified > ABANDONED_MS || isOwnerGone(owner, modified, ABANDONED_MS)
