import type { Storage } from '@skyscript/core'
import { type DuplicateSummary, localFile, MANIFEST, openManifestFile } from '@skyscript/dataset'
import { hashOf } from '../groups.ts'
import { createHashColumn } from './hashes.ts'
import { exactDuplicates, nearDuplicates, repeatedCaptions } from './near-duplicates.ts'

/** Counts duplicates among the stored pairs. Memory: about 60 bytes per pair. */
export async function findDuplicates(storage: Storage): Promise<DuplicateSummary> {
  const file = await localFile(storage, MANIFEST)
  const manifest = await openManifestFile(file.path)
  try {
    const [files, looks] = [createHashColumn(manifest.rows), createHashColumn(manifest.rows)]
    const titles = { high: new Uint32Array(manifest.rows), low: new Uint32Array(manifest.rows) }
    for (const [group, { from }] of manifest.groups.entries()) {
      const { sha256, phash, title } = await manifest.readGroup(group, ['sha256', 'phash', 'title'])
      for (const hash of sha256 as string[]) files.add(hash)
      for (const hash of phash as string[]) looks.add(hash)
      for (const [i, text] of (title as string[]).entries()) {
        const hash = hashOf(text)
        titles.high[from + i] = Math.floor(hash / 2 ** 32)
        titles.low[from + i] = hash % 2 ** 32
      }
    }
    const exact = exactDuplicates(files.end())
    const near = nearDuplicates(looks.end())
    return {
      exact: { images: exact.images, groups: exact.groups },
      near: { images: near.images, groups: near.groups, largest: near.largest },
      captions: repeatedCaptions(titles),
    }
  } finally {
    await manifest.close()
    await file.release()
  }
}
