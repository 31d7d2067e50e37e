import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { ServiceError, sha256 } from '@skyscript/core'
import { BodyFault, readAhead } from '@skyscript/http'
import {
  type HubFile,
  type HubRequest,
  hubGet,
  refuse,
  tried,
  unreachable,
  type Watch,
  watchSilence,
} from './hub-api.ts'

export interface Download extends HubRequest {
  readonly commit: string
  readonly file: HubFile
  /** Where it goes. */
  readonly path: string
  /** Bytes that are there. */
  onBytes(done: number): void
}

/**
 * Downloads one file: into a temporary file beside its place, checked, then renamed. What an interrupted download left
 * is taken over by renaming it, which only one process can do, and continued.
 *
 * @throws ServiceError once every try failed
 */
export async function downloadFile(download: Download): Promise<void> {
  const { path, patience } = download
  const temporary = `${path}.${machine()}-${process.pid}-${randomUUID()}.tmp`
  await mkdir(dirname(path), { recursive: true })
  await takeOver(path, temporary)
  try {
    await tried(patience, async () => {
      await fetchWatched(download, temporary)
      await check(download, temporary)
    })
    await rename(temporary, path)
  } catch (error) {
    await rename(temporary, leftovers(path)).catch(() => undefined)
    throw error
  }
}

const leftovers = (path: string) => `${path}.partial`
const TEMPORARY = /\.([0-9a-f]{8})-(\d+)-[0-9a-f-]{36}\.tmp$/
const machine = () => sha256(hostname()).slice(0, 8)
/** A download that still runs is written to far more often. */
const ABANDONED_MS = 600_000

/** Renames the longest of the files that ended downloads left to `temporary`, and removes the others. */
async function takeOver(path: string, temporary: string): Promise<void> {
  const folder = dirname(path)
  const left: { file: string; size: number }[] = []
  for (const name of await readdir(folder)) {
    const file = join(folder, name)
    if (!name.startsWith(`${basename(path)}.`)) continue
    const found = await stat(file).catch(() => null)
    if (found?.isFile() && (file === leftovers(path) || isAbandoned(name, found.mtimeMs))) {
      left.push({ file, size: found.size })
    }
  }
  left.sort((a, b) => b.size - a.size)
  const [longest, ...others] = left
  if (longest) await rename(longest.file, temporary).catch(() => undefined)
  for (const { file } of others) await rm(file, { force: true })
}

/** Whether a temporary file belongs to a process that is gone; of another machine's, only its age tells. */
function isAbandoned(name: string, modified: number): boolean {
  const match = TEMPORARY.exec(name)
  if (match === null) return false
  if (Date.now() - modified > ABANDONED_MS) return true
  const pid = Number(match[2])
  return match[1] === machine() && pid !== process.pid && !isRunning(pid)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function fetchWatched(download: Download, temporary: string): Promise<void> {
  const watch = watchSilence(download.patience)
  try {
    await fetchRest(download, temporary, watch)
  } finally {
    watch.end()
  }
}

async function fetchRest(download: Download, temporary: string, watch: Watch): Promise<void> {
  const { id, hub, commit, file } = download
  let have = (await stat(temporary).catch(() => null))?.size ?? 0
  if (have > file.size) {
    await rm(temporary)
    have = 0
  }
  if (have === file.size && file.size > 0) return
  // Ranges count the bytes as they are sent, so none may be packed.
  const headers = { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) }
  const response = await hubGet(download, `/${id}/resolve/${commit}/${file.name}`, { signal: watch.signal, headers })
  if (response.status !== 200 && response.status !== 206) await refuse(download, `file ${file.name} of ${id}`, response)
  // A server that knows no ranges sends the whole file.
  if (response.status === 200) have = 0
  const body = readAhead(response.body)
  const handle = await open(temporary, have > 0 ? 'a' : 'w')
  try {
    let done = have
    for await (const chunk of body.chunks()) {
      watch.heard()
      done += chunk.length
      if (done > file.size) throw corrupt(download, `is longer than its ${file.size} bytes`)
      await handle.writeFile(chunk)
      download.onBytes(done)
    }
    if (done < file.size) {
      throw new ServiceError('hub-error', `The hub sent ${done} of ${file.size} bytes of ${file.name}.`, {
        retry: true,
      })
    }
  } catch (error) {
    throw error instanceof BodyFault ? unreachable(id, hub, error) : error
  } finally {
    await body.stop()
    await handle.close()
  }
}

/** Compares the bytes with the hub's hash; what differs is removed, so that the next try starts anew. */
async function check(download: Download, temporary: string): Promise<void> {
  if (await hasContent(temporary, download.file)) return
  await rm(temporary, { force: true })
  throw corrupt(download, 'has another hash than the hub says')
}

/** Whether the file is there and holds what the hub says. */
export async function hasContent(path: string, { size, sha256, gitBlob }: HubFile): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  if (!found?.isFile() || found.size !== size) return false
  const digest = sha256 === null ? createHash('sha1').update(`blob ${size}\0`) : createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) digest.update(chunk as Uint8Array)
  return digest.digest('hex') === (sha256 ?? gitBlob)
}

function corrupt({ file, hub }: Download, how: string): ServiceError {
  return new ServiceError('hub-corrupt', `${file.name} from ${hub} ${how}.`, { retry: true })
}
