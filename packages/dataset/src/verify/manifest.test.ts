import { gzipSync, zstdCompressSync } from 'node:zlib'
import { sha256 } from '@skyscript/core'
import { beforeAll, expect, test } from 'vitest'
import { MemoryStorage } from '../../test/support/memory-storage.ts'
import { createTestDataset, manifestOf, type TestRow } from '../../test/support/test-dataset.ts'
import { MANIFEST } from '../names.ts'
import { type ManifestRow, openManifest, type RowFault } from './manifest.ts'

let some: TestRow[]
beforeAll(async () => {
  some = (await createTestDataset()).rows
})

async function read(
  bytes: Uint8Array,
): Promise<{ rows: (ManifestRow | RowFault)[]; largest: number; scorers: readonly string[] }> {
  const storage = new MemoryStorage()
  await storage.put(MANIFEST, bytes)
  let hashed = 0
  const manifest = await openManifest(storage, (chunk) => {
    hashed += chunk.length
  })
  try {
    const rows: (ManifestRow | RowFault)[] = []
    let largest = 0
    for await (const part of manifest.read()) {
      largest = Math.max(largest, part.length)
      rows.push(...part)
    }
    expect(hashed).toBe(bytes.length)
    expect(manifest.rows).toBe(rows.length)
    return { rows, largest, scorers: manifest.scorers }
  } finally {
    await manifest.close()
  }
}

test('a row is read with its types', async () => {
  const { rows, scorers } = await read(manifestOf(some))
  const [row, due] = [rows[1] as ManifestRow, some[1]!]
  expect(scorers).toEqual(['openai', 'laion_RS'])
  expect(row).toMatchObject({
    id: due.id,
    time: due.time!.getTime(),
    box: [due.west, due.south, due.east, due.north],
    centerTags: { building: 'yes', 'roof:shape': 'gabled', lit: 'yes' },
    surroundingTags: [{ highway: 'footway' }, { natural: 'wood', 名: '"a",\nb' }],
    similarities: [due.similarity_CLIP_openai, due.similarity_CLIP_laion_RS],
    timestamp: '2024-05-01T12:00:00Z',
  })
  expect((rows[0] as ManifestRow).time).toBeNull()
})

test('large row groups are read in parts, in order, and each row once', async () => {
  const many = Array.from({ length: 20_000 }, (_, i) => ({
    ...some[i % some.length]!,
    id: `n${i}`,
    credit: [1, 2, 3].map((n) => sha256(`${i} ${n}`)).join(),
  }))
  for (const options of [{}, { columnIndex: true }, { offsetIndex: false }]) {
    const { rows, largest } = await read(manifestOf(many, options))
    expect(rows.map((row) => ('id' in row ? row.id : row.fault))).toEqual(many.map(({ id }) => id))
    expect(largest).toBe('offsetIndex' in options ? 19_000 : 8192)
  }
})

test('the rows are the same for every compression', async () => {
  const { rows } = await read(manifestOf(some))
  const compressors = {
    GZIP: (bytes: Uint8Array) => gzipSync(bytes),
    ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes),
  }
  for (const codec of ['UNCOMPRESSED', 'GZIP', 'ZSTD'] as const) {
    expect((await read(manifestOf(some, { codec, compressors }))).rows).toEqual(rows)
  }
})

test('a manifest that is not Parquet, or lacks a column, is refused', async () => {
  await expect(read(Buffer.from('id,filepath\n'))).rejects.toThrow(/can't be read as Parquet/)
  const fewer = some.map(({ sha256, ...row }) => row as TestRow)
  await expect(read(manifestOf(fewer))).rejects.toThrow('lacks the columns sha256')
})
