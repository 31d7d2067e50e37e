import { access, constants, stat, statfs } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { formatBytes, formatCount } from '@skyscript/core'
import type { Finding } from './doctor.ts'

/** The first version that runs TypeScript files without a flag and has zstd in node:zlib. */
const NODE_MAJOR = 24
/** Bytes that a pair takes on disk: 16 kB of JPEG in the original (its mean), the rest meta, CSV and work products. */
const BYTES_PER_PAIR = 30_000
const LOW_DISK = 5e9
const NO_DISK = 2e8

export async function checkNode(): Promise<Finding> {
  const { node } = process.versions
  if (Number(node.split('.')[0]) >= NODE_MAJOR) return { status: 'ok', detail: `Node ${node}` }
  return {
    status: 'fail',
    detail: `Node ${node}, ${NODE_MAJOR} is needed`,
    fix: 'Start through `npm start`, which uses the Node that `npm install` brought.',
  }
}

/** Packages with native parts, which are what fails on an unusual machine. */
export function checkPackages(): [name: string, run: () => Promise<Finding>][] {
  const load = (name: string, version: () => Promise<string>) => async (): Promise<Finding> => {
    try {
      return { status: 'ok', detail: await version() }
    } catch (error) {
      return {
        status: 'fail',
        detail: `${name} does not load: ${String(error instanceof Error ? error.message : error).split('\n')[0]}`,
        fix: `Run \`npm install\` again on this machine; ${name} has a binary for each platform.`,
      }
    }
  }
  return [
    [
      'sharp',
      load('sharp', async () => {
        const { default: sharp } = await import('sharp')
        const { data } = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#777' } })
          .jpeg()
          .toBuffer({ resolveWithObject: true })
        await sharp(data, { failOn: 'error' }).raw().toBuffer()
        return `sharp ${sharp.versions.sharp}, JPEG written and read`
      }),
    ],
    [
      'onnxruntime',
      load('onnxruntime-node', async () => {
        const { InferenceSession, env } = runtimeOfFilter()
        if (typeof InferenceSession?.create !== 'function') throw new Error('it has no InferenceSession')
        return `onnxruntime-node ${env.versions.node ?? ''}`.trim()
      }),
    ],
  ]
}

// As when scoring: nothing is reported to the runtime's makers.
process.env.ORT_DISABLE_TELEMETRY ??= '1'

/** The very runtime that the scorers load, whose native library may not fit the machine. */
function runtimeOfFilter(): { InferenceSession?: { create?: unknown }; env: { versions: { node?: string } } } {
  return createRequire(import.meta.resolve('@skyscript/filter'))('onnxruntime-node')
}

/** Room where the dataset will be, and the right to write there; the folder itself need not exist yet. */
export async function checkDisk(output: string): Promise<Finding> {
  if (output.startsWith('s3://')) return { status: 'ok', detail: 'the dataset goes to a bucket' }
  const folder = await nearestFolder(output)
  if (folder === null) {
    return { status: 'fail', detail: `${output} can't be a folder: a file is in its way`, fix: 'Change `output`.' }
  }
  try {
    await access(folder, constants.W_OK)
  } catch {
    return { status: 'fail', detail: `${folder} can't be written`, fix: 'Change `output` or the rights of the folder.' }
  }
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const detail = `${formatBytes(free)} free at ${folder}, room for about ${formatCount(free / BYTES_PER_PAIR)} pairs`
  if (free < NO_DISK) return { status: 'fail', detail, fix: 'Free some space or choose another `output`.' }
  if (free < LOW_DISK) return { status: 'warn', detail, fix: 'Compare with the bytes that `skyscript plan` expects.' }
  return { status: 'ok', detail }
}

/** The path itself, or the nearest folder above that exists; null where a file is in the way. */
async function nearestFolder(path: string): Promise<string | null> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error.code ?? '')
    if (typeof found !== 'string') return found.isDirectory() ? folder : null
    if (found === 'ENOTDIR') return null
    if (folder === dirname(folder)) return folder
  }
}
