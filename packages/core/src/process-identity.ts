import { readFileSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { fingerprint } from './fingerprint.ts'

/**
 * Identifies where a process id is valid: one boot of one machine, and one container on it. Containers may share a host
 * name and still not see each other's processes.
 */
export const PLACE = fingerprint(
  'place',
  hostname(),
  orNothing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
  orNothing(() => readlinkSync('/proc/self/ns/pid')),
).slice(0, 16)

function orNothing(read: () => string): string {
  try {
    return read().trim()
  } catch {
    return ''
  }
}

/** When a process of this place started, as the system writes it; empty if the system doesn't say. */
export async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name before it is in parentheses and may hold anything; the start is field 22 of all.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const HERE = PLACE.slice(0, 8)

/** Names this process in the names of its temporary files: 8 hex digits of its place, a dash, its id. */
export const OWNER = `${HERE}-${process.pid}`

/**
 * Whether the process that a temporary file is named after is gone. Process ids say nothing about processes of other
 * places: there the file's age decides.
 *
 * @param owner as `OWNER`
 * @param modified of the file, in ms since 1970
 */
export function isOwnerGone(owner: string, modified: number, staleMs: number): boolean {
  const [place, pid] = owner.split('-')
  return place === HERE ? !isRunning(Number(pid)) : Date.now() - modified > staleMs
}
