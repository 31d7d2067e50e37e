import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isOwnerGone, OWNER, type Progress, sha256, sha256OfStream } from '@skyscript/core'
import { APPLY_VERSION, type AppliedChanges, applyChanges, type PbfHeader } from '@skyscript/osm-extract'
import { isIntact, isUnusedFor, KEEP_OLD_MS, removeUnused, touch, writeWhole } from '../url-cache.ts'
import { addCounts, type ChangeCounts, countsOf } from './change-counts.ts'
import type { ChangeFile } from './replication-server.ts'

/** A map in the cache that was made of an extract and change files. */
export interface UpdatedMap {
  readonly path: string
  /** A running hash over the sha256 of the extract and of the change files. */
  readonly identity: string
  /** Number of change files since the extract. */
  readonly files: number
  /** Of all of them. */
  readonly counts: ChangeCounts
  readonly sequence: number | null
  readonly timestamp: string | null
  /** The server whose changes later maps apply to this one; null where they start from an earlier map. */
  readonly startFor: string | null
}

/** What came of bringing an extract up to date. */
export interface MapUpdate {
  /** null: there was nothing to apply. */
  readonly map: UpdatedMap | null
  /** Number of change files that no earlier map in the cache was made with. */
  readonly newFiles: number
  readonly to: Pick<UpdatedMap, 'sequence' | 'timestamp'>
}

/** `<identity>.json`: written when the map beside it is whole. */
interface Note extends Omit<UpdatedMap, 'path'> {
  /** sha256 of the change files that it was made with; older notes lack it. */
  readonly changes?: readonly string[]
  readonly bytes: number
  readonly sha256: string
}

/** What a map is made from. */
export interface Making {
  readonly from: Pick<UpdatedMap, 'path' | 'identity' | 'files' | 'counts'>
  readonly changes: readonly ChangeFile[]
  readonly startFor?: string
  /** Of the new map's header; by default the time of the newest change. */
  readonly replication?: Pick<PbfHeader, 'replicationTimestamp' | 'replicationSequence' | 'replicationServer'>
  readonly signal: AbortSignal
  readonly progress?: Progress
  /** Hears what was applied. */
  onApplied?(applied: AppliedChanges): void
}

/** The updated maps of one extract. */
export interface UpdatedMaps {
  /** The map that came furthest of those from which a server's changes are applied. */
  newestStart(server: string): Promise<UpdatedMap | null>
  /** The map with these changes applied, from the cache or made. A map is in the cache whole, or not at all. */
  make(making: Making): Promise<UpdatedMap>
  /** sha256 of the change files that maps in the cache were made with. */
  applied(): Promise<ReadonlySet<string>>
  /** Forgets a map, so that the next build makes it anew. */
  discard(identity: string): Promise<void>
  /** Removes maps that nothing has used for a day, except this one and the newest that later updates start from. */
  tidy(used: UpdatedMap | null): Promise<void>
}

const identityAfter = (identity: string, changes: readonly ChangeFile[]): string =>
  changes.reduce((before, change) => sha256(`${before} ${change.sha256}`), identity)

/** @param extract sha256 of the extract */
export async function openUpdatedMaps(cacheFolder: string, extract: string): Promise<UpdatedMaps> {
  const folder = join(cacheFolder, 'maps', `${extract.slice(0, 32)}-${APPLY_VERSION}`)
  await mkdir(folder, { recursive: true })
  await touch(folder)
  await removeLeftOver(folder)
  await removeUnused(join(cacheFolder, 'maps'))
  const pathOf = (identity: string) => join(folder, `${identity}.osm.pbf`)
  const noteOf = (identity: string) => join(folder, `${identity}.json`)
  const read = async (identity: string): Promise<Note | null> => {
    try {
      const note: Note = JSON.parse(await readFile(noteOf(identity), 'utf8'))
      return note.identity === identity && Number.isSafeInteger(note.files) ? note : null
    } catch {
      return null
    }
  }
  const open = async (identity: string): Promise<UpdatedMap | null> => {
    const note = await read(identity)
    const path = pathOf(identity)
    if (note === null || !(await isIntact(path, note))) return null
    await touch(path)
    const { bytes: _bytes, sha256: _sha256, changes: _changes, ...map } = note
    return { path, ...map }
  }
  const noted = async (): Promise<Note[]> => {
    const notes = (await readdir(folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => read(name.slice(0, -5)))
    return (await Promise.all(notes)).filter((note) => note !== null)
  }
  const starts = async (server: string | null) =>
    (await noted())
      .filter(({ startFor }) => startFor !== null && (server === null || startFor === server))
      .sort((a, b) => b.sequence! - a.sequence! || (a.identity < b.identity ? -1 : 1))

  return {
    applied: async () => new Set((await noted()).flatMap(({ changes = [] }) => changes)),
    discard: (identity) => rm(noteOf(identity), { force: true }),
    async newestStart(server) {
      for (const { identity } of await starts(server)) {
        const map = await open(identity)
        if (map !== null) return map
      }
      return null
    },
    async make({ from, changes, startFor = null, replication, signal, progress, onApplied }) {
      const identity = identityAfter(from.identity, changes)
      const known = await open(identity)
      if (known !== null) {
        if (startFor === null || startFor === known.startFor) return known
        await writeWhole(noteOf(identity), { ...(await read(identity)), startFor })
        return { ...known, startFor }
      }
      const own = join(folder, `${OWNER}-${randomUUID()}.new`)
      await mkdir(own)
      try {
        const output = join(own, 'map.osm.pbf')
        const applied = await applyChanges({
          file: from.path,
          changes: changes.map(({ path }) => path),
          output,
          within: 'extract',
          // A server's numbers say which of its changes are new; a list of files may have older ones.
          bringBack: replication !== undefined,
          signal,
          ...(replication && { replication }),
          ...(progress && { progress }),
        })
        onApplied?.(applied)
        const map = {
          identity,
          startFor,
          files: from.files + changes.length,
          counts: addCounts(from.counts, countsOf(applied)),
          sequence: applied.header.replicationSequence,
          timestamp: applied.header.replicationTimestamp,
        }
        const note = { bytes: (await stat(output)).size, sha256: await sha256OfStream(createReadStream(output)) }
        await rm(noteOf(identity), { force: true })
        await rename(output, pathOf(identity))
        // Last: what is not noted is not there.
        const hashes = changes.map((change) => change.sha256)
        await writeWhole(noteOf(identity), { ...map, ...note, changes: hashes } satisfies Note)
        return { path: pathOf(identity), ...map }
      } finally {
        await rm(own, { recursive: true, force: true })
      }
    },
    async tidy(used) {
      const [start] = await starts(null)
      for (const name of await readdir(folder)) {
        const identity = name.endsWith('.osm.pbf') ? name.slice(0, -'.osm.pbf'.length) : null
        if (identity === null || identity === used?.identity || identity === start?.identity) continue
        if (!(await isUnusedFor(join(folder, name), KEEP_OLD_MS))) continue
        await rm(noteOf(identity), { force: true })
        await rm(join(folder, name), { force: true })
      }
    },
  }
}

const ABANDONED_MS = 86_400_000

/** Removes the unfinished maps of killed processes. */
async function removeLeftOver(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const match = /^([0-9a-f]{8}-\d+)-[0-9a-f-]{36}\.new$/.exec(name)
    if (match === null) continue
    const path = join(folder, name)
    const found = await stat(path).catch(() => null)
    if (found && isOwnerGone(match[1]!, found.mtimeMs, ABANDONED_MS)) await rm(path, { recursive: true, force: true })
  }
}
