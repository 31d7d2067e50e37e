import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { InputError, ServiceError } from '@skyscript/core'
import { type HubFile, hubGet, refuse, unreachable, type Watch, watchSilence } from './hub-api.ts'

export interface Download {
  readonly id: string
  readonly hub: string
  readonly token: string | null
  readonly commit: string
  readonly file: HubFile
  /** Where it goes. */
  readonly path: string
  /** Bytes that are there. */
  onBytes(done: number): void
}

/** Connections of hours break; each try goes on where the last one ended. */
const TRIES = 5
const FIRST_PAUSE_MS = 500

/**
 * Downloads one file: into a temporary file beside its place, checked, then renamed. What an interrupted download left
 * is taken over by renaming it, which only one process can do, and continued.
 *
 * @throws ServiceError once every try failed; InputError where the disk is full
 */
export async function downloadFile(download: Download): Promise<void> {
  const { path, file } = download
  const partial = `${path}.partial`
  const temporary = `${path}.${process.pid}-${randomUUID()}.tmp`
  await mkdir(dirname(path), { recursive: true })
  await rename(partial, temporary).catch(() => undefined)
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        await fetchWatched(download, temporary)
        await check(download, temporary)
        break
      } catch (error) {
        if (!(error instanceof ServiceError && error.retry) || attempt === TRIES) throw error
        await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1))
      }
    }
    await rename(temporary, path)
  } catch (error) {
    await rename(temporary, partial).catch(() => undefined)
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
      throw new InputError(
        'disk-full',
        `The disk is full: ${file.name} needs ${file.size} bytes at ${dirname(path)}.`,
        {
          cause: error,
        },
      )
    }
    throw error
  }
}

async function fetchWatched(download: Download, temporary: string): Promise<void> {
  const watch = watchSilence()
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
  const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {}
  const response = await hubGet(download, `/${id}/resolve/${commit}/${file.name}`, { signal: watch.signal, headers })
  if (response.status !== 200 && response.status !== 206) await refuse(download, `file ${file.name} of ${id}`, response)
  // A server that knows no ranges sends the whole file.
  if (response.status === 200) have = 0
  const handle = await open(temporary, have > 0 ? 'a' : 'w')
  try {
    let done = have
    const chunks = chunksOf(response.body, (error) => unreachable(id, hub, error))
    for await (const chunk of chunks) {
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
  } finally {
    await handle.close()
  }
}

/** The chunks of a body; what breaks the connection becomes `asOurs`, while faults of the disk stay what they are. */
async function* chunksOf(
  body: AsyncIterable<Uint8Array> | null,
  asOurs: (error: unknown) => Error,
): AsyncGenerator<Uint8Array> {
  if (body === null) return
  const iterator = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await iterator.next().catch((error: unknown) => {
        throw asOurs(error)
      })
      if (next.done) return
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}

/** Compares the bytes with the hub's hash; what differs is removed, so that the next try starts anew. */
async function check(download: Download, temporary: string): Promise<void> {
  const { file } = download
  const digest = file.sha256 === null ? createHash('sha1').update(`blob ${file.size}\0`) : createHash('sha256')
  for await (const chunk of createReadStream(temporary, { highWaterMark: 1 << 20 })) digest.update(chunk as Uint8Array)
  if (digest.digest('hex') === (file.sha256 ?? file.gitBlob)) return
  await rm(temporary)
  throw corrupt(download, 'has another hash than the hub says')
}

function corrupt({ file, hub }: Download, how: string): ServiceError {
  return new ServiceError('hub-corrupt', `${file.name} from ${hub} ${how}.`, { retry: true })
}
