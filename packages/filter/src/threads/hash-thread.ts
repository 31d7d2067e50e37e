import { readFile } from 'node:fs/promises'
import { messageOf, serveThread } from '@skyscript/core'
import { decodeRgb, FILE_FORMATS, unblockFileFormats } from '../clip/preprocess.ts'
import { perceptualHash } from '../duplicates/perceptual-hash.ts'

/** 16 hex digits, or why the file has no hash. */
export type HashAnswer = string | { readonly why: string }

unblockFileFormats()

/** The thread that hashes benchmark images. These are the user's own files, so more formats are allowed, unlike from the network. */
serveThread({
  async hash(paths: readonly string[]) {
    return { value: await Promise.all(paths.map((path) => hashOf(() => readFile(path)))) }
  },
  async files(files: readonly Uint8Array[]) {
    return { value: await Promise.all(files.map((file) => hashOf(async () => Buffer.from(file)))) }
  },
})

async function hashOf(read: () => Promise<Buffer>): Promise<HashAnswer> {
  try {
    const bytes = await read()
    if (bytes.length === 0) return { why: 'the file is empty' }
    if (bytes.toString('latin1', 0, 2) === 'BM') return { why: 'BMP is not supported; convert it to PNG' }
    return perceptualHash(await decodeRgb(bytes, FILE_FORMATS))
  } catch (error) {
    return { why: messageOf(error).split('\n')[0]!.replace(/\.$/, '') }
  }
}
