import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  InputError,
  isRefusedHost,
  isUrl,
  redact,
  type Storage,
  sha256,
  sha256OfStream,
  systemReason,
} from '@skyscript/core'
import { localFile } from '@skyscript/dataset'
import { CHANGE_KINDS, fileKind } from '../file-kind.ts'
import { type CacheOptions, cachedFile, type FileKind, removeUnused, touch } from '../url-cache.ts'
import { noCounts } from './change-counts.ts'
import type { BaseMap } from './follow-server.ts'
import { makeWithProgress } from './make-with-progress.ts'
import type { ChangeFile } from './replication-server.ts'
import type { MapUpdate, UpdatedMaps } from './updated-maps.ts'

export interface ChangeFiles {
  /** Each content once, in an order that their contents decide. */
  readonly files: readonly ChangeFile[]
  release(): Promise<void>
}

export type ChangeFileOptions = CacheOptions & {
  readonly openStorage: (url: string) => Promise<Storage>
}

/**
 * Makes the change files of the settings available as files.
 *
 * @throws InputError `missing-file`, `bad-url`, `not-a-change-file`; ServiceError `download-failed`
 */
export async function openChangeFiles(sources: readonly string[], options: ChangeFileOptions): Promise<ChangeFiles> {
  const opened: { release(): Promise<void> }[] = []
  const release = async () => {
    for (const each of opened) await each.release()
  }
  try {
    const files = new Map<string, ChangeFile>()
    for (const source of sources) {
      const { path, release: releaseOne, forget } = await openChangeFile(source, options)
      opened.push({ release: releaseOne })
      const bytes = await stat(path).then(({ size }) => size, missing(source))
      const hash = await sha256OfStream(createReadStream(path)).catch(missing(source))
      files.set(hash, { path, name: redact(source), bytes, sha256: hash, forget })
    }
    await removeUnused(join(options.cacheFolder, KIND.folder))
    return { files: [...files.values()].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1)), release }
  } catch (error) {
    await release()
    throw error
  }
}

/**
 * Applies change files to an extract, unless the cache has the resulting map. They are applied together, since they may
 * be listed in any order: the newest version of each object counts.
 */
export async function applyFiles(
  base: BaseMap,
  files: readonly ChangeFile[],
  maps: UpdatedMaps,
  { signal, terminal }: ChangeFileOptions,
): Promise<MapUpdate> {
  const applied = await maps.applied()
  const newFiles = files.filter((file) => !applied.has(file.sha256)).length
  const map = await makeWithProgress(maps, base.name, terminal, {
    // Named apart from the maps of a server, whose files are applied in batches.
    from: { path: base.path, identity: sha256(`files ${base.sha256}`), files: 0, counts: noCounts },
    changes: files,
    signal,
  })
  return { map, newFiles, to: map }
}

async function openChangeFile(
  source: string,
  options: ChangeFileOptions,
): Promise<{ readonly path: string; release(): Promise<void>; forget(): Promise<void> }> {
  const nothing = async () => {}
  if (!isUrl(source)) return { path: source, release: nothing, forget: nothing }
  if (checkedUrl(source).protocol === 's3:') {
    const slash = source.lastIndexOf('/')
    const file = await localFile(await options.openStorage(source.slice(0, slash)), source.slice(slash + 1))
    return { ...file, forget: nothing }
  }
  const { path, discard } = await cachedFile(source, KIND, options)
  await touch(dirname(path))
  return { path, release: nothing, forget: discard }
}

/** @throws InputError `bad-url` */
function checkedUrl(source: string): URL {
  const url = URL.parse(source)
  if (url !== null && ['http:', 'https:', 's3:'].includes(url.protocol) && !isRefusedHost(url.hostname)) return url
  throw new InputError(
    'bad-url',
    `${redact(source)} can't be used in osm.changes; give a path, or an http, https or s3 URL.`,
  )
}

const KIND = {
  folder: 'change-files',
  suffix: '.osc',
  checkHead: (head, response) => checkChangeHead(head, response.headers.get('content-type'), redact(response.url)),
  // Applying reads each file to its end, and refuses one that is cut off.
  checkWhole: () => null,
} satisfies FileKind

/** Enough to tell what a file is. */
const HEAD_BYTES = 1024

/**
 * Checks that a listed change file begins like one. Of a URL only the form is checked; a build downloads it.
 *
 * @throws InputError `bad-url`, `missing-file`, `not-a-change-file`
 */
export async function checkChangeFile(source: string): Promise<void> {
  if (isUrl(source)) {
    checkedUrl(source)
    return
  }
  const file = await open(source).catch(missing(source))
  try {
    const head = new Uint8Array(HEAD_BYTES)
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0).catch(missing(source))
    checkChangeHead(head.subarray(0, bytesRead), null, source)
  } finally {
    await file.close()
  }
}

function checkChangeHead(head: Uint8Array, contentType: string | null, name: string): void {
  const kind = fileKind(head, contentType)
  if (!CHANGE_KINDS.includes(kind))
    throw new InputError(
      'not-a-change-file',
      `${name} is ${kind}, not a change file; check osm.changes in the region file.`,
    )
}

const missing =
  (source: string) =>
  (error: unknown): never => {
    throw new InputError(
      'missing-file',
      `${redact(source)} can't be read (${systemReason(error)}); check osm.changes in the region file.`,
    )
  }
