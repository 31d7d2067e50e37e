import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { InputError, messageOf, type Progress } from '@skyscript/core'
import { type HubFile, type HubRequest, hubFiles } from './hub-api.ts'
import { downloadFile, hasContent } from './hub-download.ts'
import { isModelFile, MODEL_FILES, type ModelFolder, sha256OfFile } from './model-folder.ts'

export interface HubModel extends HubRequest {
  /** Branch, tag or commit. */
  readonly revision: string
  /** Of MODEL_FILES: all, or those needed of a model that runs on a server. */
  readonly needed: readonly string[]
  readonly cacheFolder: string
  readonly progress?: Progress
}

/**
 * What a revision name resolved to when it was first used; stored next to the files. It pins the model: a branch that
 * moves at the hub changes no dataset. Delete the lock to resolve the name again.
 */
interface ModelLock {
  readonly id: string
  readonly revision: string
  /** 40 hex digits. */
  readonly commit: string
  readonly files: readonly { readonly name: string; readonly size: number; readonly sha256: string }[]
}

/**
 * A hub model from the cache; missing files are downloaded. The cache holds
 * `models/<owner>--<name>/<revision>.lock.json` and `models/<owner>--<name>/<commit>/<file>`.
 */
export async function fromHub(model: HubModel): Promise<ModelFolder> {
  const { root, lockFile } = placeOf(model)
  const lock = await readLock(lockFile, model)
  if (lock !== null && (await isWhole(root, lock))) return asFolder(root, lock)
  // A pinned commit is downloaded again, whatever the revision resolves to by now.
  const { commit, files } = lock === null ? await hubFiles(model) : asHubFiles(lock)
  try {
    await mkdir(root, { recursive: true })
    const made = await download(root, model, commit, files)
    if (lock === null) await writeWhole(lockFile, `${JSON.stringify(made, null, 2)}\n`)
    return asFolder(root, made)
  } catch (error) {
    throw asCacheFault(error, model.cacheFolder)
  }
}

function placeOf({ cacheFolder, id, needed, revision }: HubModel): { root: string; lockFile: string } {
  const root = join(cacheFolder, 'models', id.replace('/', '--'))
  const part = needed.length < MODEL_FILES.length ? '.local' : ''
  return { root, lockFile: join(root, `${revision.replaceAll('/', '--')}${part}.lock.json`) }
}

/** Bytes of the model's files that are not in the cache; cached files are assumed complete. */
export async function bytesFromHub(model: HubModel): Promise<number> {
  const { root, lockFile } = placeOf(model)
  const lock = await readLock(lockFile, model)
  const { commit, files } = lock ?? (await hubFiles(model))
  const sizes = files.map(async ({ name, size }) => {
    const found = await stat(join(root, commit, name)).catch(() => null)
    return found?.size === size ? 0 : size
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

const asHubFiles = ({ commit, files }: ModelLock): { commit: string; files: HubFile[] } => ({
  commit,
  files: files.map((file) => ({ ...file, gitBlob: null })),
})

/** Disk errors are reported to the user to fix. */
function asCacheFault(error: unknown, cacheFolder: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const message = `The disk of ${cacheFolder} is full; free some space, then run the command again to resume the download.`
    return new InputError('disk-full', message, { cause: error })
  }
  if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code ?? '')) return error
  const message = `Models can't be kept in ${cacheFolder} (${messageOf(error)}); make it a folder that can be written to.`
  return new InputError('bad-model-cache', message, { cause: error })
}

function asFolder(root: string, { id, commit, files }: ModelLock): ModelFolder {
  const identity = { id, revision: commit, files: files.map(({ name, sha256 }) => ({ name, sha256 })) }
  return { folder: join(root, commit), identity }
}

async function readLock(path: string, { id, revision }: HubModel): Promise<ModelLock | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return null
  try {
    const lock = JSON.parse(text) as ModelLock
    const valid =
      lock.id === id &&
      lock.revision === revision &&
      /^[0-9a-f]{40}$/.test(lock.commit) &&
      lock.files.length > 0 &&
      lock.files.every((file) => isModelFile(file.name) && /^[0-9a-f]{64}$/.test(file.sha256) && file.size >= 0)
    if (valid) return lock
  } catch {
    // Falls through to the one message below.
  }
  throw new InputError('bad-model-lock', `${path} is damaged; delete it, and the model is looked up at the hub again.`)
}

/** Whether every file is present and unchanged; one that isn't is deleted, so that it is downloaded again. */
async function isWhole(root: string, { commit, files }: ModelLock): Promise<boolean> {
  let whole = true
  for (const { name, size, sha256 } of files) {
    const path = join(root, commit, name)
    const found = await stat(path).catch(() => null)
    if (found?.size === size && (await sha256OfFile(path)) === sha256) continue
    whole = false
    await rm(path, { force: true })
  }
  return whole
}

async function download(root: string, model: HubModel, commit: string, files: readonly HubFile[]): Promise<ModelLock> {
  const total = files.reduce((sum, file) => sum + file.size, 0)
  const locked: { name: string; size: number; sha256: string }[] = []
  let before = 0
  for (const file of files) {
    const path = join(root, commit, file.name)
    const report = (done: number) => model.progress?.update(before + done, total)
    report(0)
    // A run that ended early may have left complete files.
    if (!(await hasContent(path, file))) await downloadFile({ ...model, commit, file, path, onBytes: report })
    locked.push({ name: file.name, size: file.size, sha256: file.sha256 ?? (await sha256OfFile(path)) })
    before += file.size
  }
  model.progress?.update(total, total)
  return { id: model.id, revision: model.revision, commit, files: locked }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`)
  await writeFile(temporary, text)
  await rename(temporary, path)
}
