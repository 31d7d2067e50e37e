import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { InputError, messageOf, type Progress, ServiceError } from '@skyscript/core'
import { z } from 'zod'
import { MODEL_FILES } from './model-folder.ts'

const LOCK = 'model.lock.json'
const TIMEOUT_MS = 30_000

const hubAnswer = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z.array(
    z.object({ rfilename: z.string(), size: z.number().nullish(), lfs: z.object({ sha256: z.string() }).nullish() }),
  ),
})
const lockFile = z.object({
  id: z.string(),
  revision: z.string(),
  files: z.array(z.object({ name: z.string(), bytes: z.number() })),
})

export interface DownloadedModel {
  readonly folder: string
  readonly id: string
  /** The commit that the folder holds. */
  readonly revision: string
}

/**
 * A model of a hub as a folder of this machine: the cached one, or fetched now and pinned to the commit that the
 * revision names today. Each file is checked against the hub's sha256 where it gives one, and appears when it is whole.
 *
 * @throws InputError `bad-model-name`, `missing-model-file`; ServiceError `hub-unreachable`, `model-damaged`
 */
export async function downloadModel(options: {
  readonly model: string
  readonly cacheFolder: string
  readonly progress: Progress
  readonly hub: string
}): Promise<DownloadedModel> {
  const { model, cacheFolder, progress, hub } = options
  const match = /^([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(model)
  if (!match || model.includes('..'))
    throw new InputError(
      'bad-model-name',
      `"${model}" is neither a folder (start it with ./ or /) nor a hub id owner/name or owner/name@revision.`,
    )
  const id = match[1]!
  const wanted = match[2] ?? 'main'
  const folder = join(cacheFolder, 'models', id.replace('/', '--'), wanted.replaceAll('/', '--'))
  const cached = await readLock(folder)
  if (cached) return { folder, id, revision: cached.revision }

  const unreachable = (error: unknown) =>
    new ServiceError(
      'hub-unreachable',
      `Model ${id} could not be fetched from ${new URL(hub).host} (${messageOf(error)}); check the network, or copy the model's folder here and give its path.`,
      { retry: true, cause: error },
    )
  const answer = await fetch(`${hub}/api/models/${id}/revision/${wanted}?blobs=true`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error) => {
    throw unreachable(error)
  })
  if (answer.status === 401 || answer.status === 404)
    throw new InputError(
      'bad-model-name',
      `${new URL(hub).host} has no model ${id} at revision ${wanted}; correct filter.scorers.`,
    )
  const parsed = hubAnswer.safeParse(answer.ok ? await answer.json().catch(() => null) : null)
  if (!parsed.success) throw unreachable(new Error(`it answered ${answer.status}`))
  const { sha: revision, siblings } = parsed.data
  const files = MODEL_FILES.map((name) => {
    const file = siblings.find((sibling) => sibling.rfilename === name)
    if (!file)
      throw new InputError(
        'missing-model-file',
        `Model ${id} on ${new URL(hub).host} has no ${name}; choose an ONNX export of CLIP.`,
      )
    return { name, size: file.size ?? 0, sha256: file.lfs?.sha256 ?? null }
  })
  const total = files.reduce((sum, file) => sum + file.size, 0)
  let done = 0
  const lock: z.infer<typeof lockFile> = { id, revision, files: [] }
  for (const { name, size, sha256 } of files) {
    const response = await fetch(`${hub}/${id}/resolve/${revision}/${name}`).catch((error) => {
      throw unreachable(error)
    })
    if (!response.ok || !response.body) throw unreachable(new Error(`${name}: ${response.status}`))
    const target = join(folder, name)
    const temporary = `${target}.part`
    await mkdir(dirname(target), { recursive: true })
    const digest = createHash('sha256')
    let bytes = 0
    const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        digest.update(chunk)
        bytes += chunk.length
        progress.update(Math.min(done + bytes, total), total)
        yield chunk
      }
    }
    try {
      await pipeline(response.body, counted, createWriteStream(temporary))
      if (size > 0 && bytes !== size) throw new Error(`${name}: ${bytes} of ${size} bytes came`)
    } catch (error) {
      await rm(temporary, { force: true })
      throw unreachable(error)
    }
    if (sha256 !== null && digest.digest('hex') !== sha256) {
      await rm(temporary, { force: true })
      throw new ServiceError(
        'model-damaged',
        `${name} of model ${id} came damaged from ${new URL(hub).host}; run the command again.`,
        { retry: true },
      )
    }
    await rename(temporary, target)
    done += size
    lock.files.push({ name, bytes })
  }
  // Written last: a folder without it is an unfinished download.
  await writeFile(join(folder, `${LOCK}.part`), `${JSON.stringify(lock, null, 2)}\n`)
  await rename(join(folder, `${LOCK}.part`), join(folder, LOCK))
  return { folder, id, revision }
}

/** The lock of a whole download; null where there is none, or a file is not as long as it was. */
async function readLock(folder: string): Promise<z.infer<typeof lockFile> | null> {
  const text = await readFile(join(folder, LOCK), 'utf8').catch(() => null)
  if (text === null) return null
  const parsed = lockFile.safeParse(JSON.parse(text))
  if (!parsed.success) return null
  for (const { name, bytes } of parsed.data.files) {
    const found = await stat(join(folder, name)).catch(() => null)
    if (found?.size !== bytes) return null
  }
  return parsed.data
}
