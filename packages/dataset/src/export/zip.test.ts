import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { metaPath, silentProgress } from '@skyscript/core'
import { expect, test } from 'vitest'
import { lacks, PYTHON } from '../../../../test/support/needs.ts'
import { openFolder } from '../../../worker/src/storages/folder.ts'
import { openTestDataset, python, withFolder } from '../../test/support/finished-dataset.ts'
import { MemoryStorage } from '../../test/support/memory-storage.ts'
import { verifyDataset } from '../verify/verify.ts'
import { exportZip } from './zip.ts'
import { zipFile } from './zip-file.ts'

const options = { signal: new AbortController().signal, progress: silentProgress }

const UNPACK = `
import glob, hashlib, json, os, sys, zipfile
root = sys.argv[1]
for line in open(os.path.join(root, 'SHA256SUMS')):
    digest, name = line.rstrip('\\n').split('  ')
    assert hashlib.sha256(open(os.path.join(root, name), 'rb').read()).hexdigest() == digest, name
names = []
for path in sorted(glob.glob(os.path.join(root, '*.zip'))):
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        for info in file.infolist():
            assert info.compress_type == zipfile.ZIP_STORED and info.date_time == (1980, 1, 1, 0, 0, 0), info
            assert info.filename.startswith(os.path.basename(path)[:-4] + '/') and info.external_attr >> 16 == 0o100644
            names.append(info.filename)
        file.extractall(root)
    os.remove(path)
print(json.dumps(names))
`

test.skipIf(lacks(PYTHON))("what Python's zipfile unpacks is the dataset again", () =>
  withFolder(async (folder) => {
    const dataset = await openTestDataset()
    const target = await openFolder(folder)
    const files = await exportZip(dataset, target, options)
    expect(files.filter(({ path }) => path.endsWith('.zip'))).toHaveLength(12)
    const names = python<string[]>(UNPACK, folder)
    expect(names.length).toBe(80)
    expect((await verifyDataset(target)).faults).toEqual([])
    for (const [path, bytes] of dataset.storage.files) expect(readFileSync(join(folder, path)).equals(bytes)).toBe(true)
  }),
)

test.skipIf(lacks(PYTHON))('an image folder without images is an empty folder in a zip file too', () =>
  withFolder(async (folder) => {
    const dataset = await openTestDataset((d) => {
      for (const row of d.rows) row.filepath = row.filepath.replace(/^images\d/, 'images2')
      d.images = new Map(d.rows.map((row, i) => [row.filepath, [...d.images.values()][i]!]))
      d.metas = new Map(d.rows.map((row, i) => [metaPath(row.filepath), [...d.metas.values()][i]!]))
      for (const lines of d.csvs.values())
        for (const line of lines.slice(1)) line[0] = line[0]!.replace(/^images\d/, 'images2')
    })
    const files = await exportZip(dataset, await openFolder(folder), options)
    const images = files.filter(({ path }) => /^images\d\.zip$/.test(path)).map(({ path }) => path)
    expect(images).toEqual([2, 3, 4, 5, 6, 7].map((n) => `images${n}.zip`))
    const script = `
import json, os, sys, zipfile
for n in range(2, 8):
    with zipfile.ZipFile(os.path.join(sys.argv[1], f'images{n}.zip')) as file:
        file.extractall(sys.argv[1])
print(json.dumps([len(os.listdir(os.path.join(sys.argv[1], f'images{n}'))) for n in range(2, 8)]))`
    expect(python(script, folder)).toEqual([40, 0, 0, 0, 0, 0])
  }),
)

test('the same dataset gives the same zip files', async () => {
  const [first, second] = await Promise.all(
    [0, 1].map(async () => {
      const target = new MemoryStorage()
      await exportZip(await openTestDataset(), target, options)
      return target.files
    }),
  )
  expect(second).toEqual(first)
})

test.each([
  ['a meta is missing', 'meta-missing', 'meta2/a1012_S2_19.pickle', null],
  ['an image is missing', 'image-missing', 'images2/a1012_S2_19.jpg', null],
  ['an image is another', 'image-changed', 'images2/a1012_S2_19.jpg', 'x'],
  ['the credits were edited', 'file-changed', 'ATTRIBUTION.md', 'x'],
])('where %s, one error names it and nothing is left', async (_what, code, path, content) => {
  const { storage, ...dataset } = await openTestDataset()
  expect(storage.files.has(path)).toBe(true)
  if (content === null) storage.files.delete(path)
  else storage.files.set(path, Buffer.from(content))
  const target = new MemoryStorage()
  await expect(exportZip({ ...dataset, storage }, target, options)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(path),
  })
  expect([...target.files.keys()]).toEqual([])
})

test.skipIf(lacks(PYTHON))('more entries than a plain zip can count are counted in Zip64 fields', () =>
  withFolder(async (folder) => {
    const count = 65_600
    const entries = async function* () {
      for (let i = 0; i < count; i++) yield { name: `meta2/n${i}_CH_19.pickle`, content: Buffer.from(String(i)) }
    }
    await (await openFolder(folder)).put('many.zip', zipFile(entries()))
    const script = `
import json, os, sys, zipfile
file = zipfile.ZipFile(os.path.join(sys.argv[1], 'many.zip'))
names = file.namelist()
print(json.dumps([len(names), file.read(names[-1]).decode()]))`
    expect(python(script, folder)).toEqual([count, String(count - 1)])
  }),
)

test.each(['a b', 'é', '', '/a', '../a', 'a/../../b'])('"%s" is refused as a name in a zip file', async (name) => {
  const entries = async function* () {
    yield { name, content: Buffer.from('') }
  }
  await expect(Array.fromAsync(zipFile(entries()))).rejects.toThrow(/can't be a name/)
})
