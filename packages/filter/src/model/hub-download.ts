import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ServiceError } from '@skyscript/core'
import { BodyFault, claimPartial, leavePartial, readAhead } from '@skyscript/http'
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
  /** Destination path. */
  readonly path: string
  /** Called with the number of bytes downloaded so far. */
  onBytes(done: number): void
}

/**
 * Downloads one file to a temporary file next to its destination, verifies it, then renames it. Resumes an interrupted
 * download of the same content.
 *
 * @throws ServiceError after every attempt failed
 */
export async function downloadFile(download: Download): Promise<void> {
  const { path, patience, file } = download
  await mkdir(dirname(path), { recursive: true })
  const partial = await claimPartial(path, file.sha256 ?? file.gitBlob!)
  try {
    await tried(patience, async () => {
      await fetchWatched(download, partial.file)
      await check(download, partial.file)
    })
    await rename(partial.file, path)
  } catch (error) {
    await leavePartial(path, partial)
    throw error
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
  // Ranges count the bytes as sent, so the body must not be compressed.
  const headers = { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) }
  const response = await hubGet(download, `/${id}/resolve/${commit}/${file.name}`, { signal: watch.signal, headers })
  if (response.status !== 200 && response.status !== 206) await refuse(download, `file ${file.name} of ${id}`, response)
  // A server that ignores ranges sends the whole file.
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
      const message = `The hub sent ${done} of ${file.size} bytes of ${file.name}; run the command again to resume.`
      throw new ServiceError('hub-error', message, { retry: true })
    }
  } catch (error) {
    throw error instanceof BodyFault ? unreachable(id, hub, error) : error
  } finally {
    await body.stop()
    await handle.close()
  }
}

/** Compares the bytes with the hub's hash; a file that differs is deleted, so that the next attempt starts over. */
async function check(download: Download, temporary: string): Promise<void> {
  if (await hasContent(temporary, download.file)) return
  await rm(temporary, { force: true })
  throw corrupt(download, 'does not have the hash that the hub declares')
}

/** Whether the file exists with the hub's size and hash. */
export async function hasContent(path: string, { size, sha256, gitBlob }: HubFile): Promise<boolean> {
  const found = await stat(path).catch(() => null)
  if (!found?.isFile() || found.size !== size) return false
  const digest = sha256 === null ? createHash('sha1').update(`blob ${size}\0`) : createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) digest.update(chunk as Uint8Array)
  return digest.digest('hex') === (sha256 ?? gitBlob)
}

function corrupt({ file, hub }: Download, how: string): ServiceError {
  const message = `${file.name} from ${hub} ${how}; run the command again, or copy the model to a folder and name that folder.`
  return new ServiceError('hub-corrupt', message, { retry: true })
}
