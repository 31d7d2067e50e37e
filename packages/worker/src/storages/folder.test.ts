import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeStorage } from '../../test/storage-conformance.ts'
import { openFolder } from './folder.ts'

const run = promisify(execFile)

describeStorage('A folder', async () => {
  const path = await mkdtemp(join(tmpdir(), 'skyscript-folder-'))
  return { open: () => openFolder(path), stop: () => rm(path, { recursive: true }) }
})

describe('a folder', () => {
  let path: string
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'skyscript-folder-'))
  })
  afterEach(() => rm(path, { recursive: true }))

  const script = (body: string) =>
    `import { openFolder } from '${import.meta.dirname}/folder.ts'\nconst storage = await openFolder('${path}')\n${body}`
  const child = (body: string) => ['--input-type=module', '-e', script(body)]

  test('a full disk has a code of its own and leaves nothing', async () => {
    // A limit on the size of a file gives the same refusal in the middle of a write as a full disk, on any machine.
    const body = `
      for (const value of [Buffer.alloc(1e6), Buffer.alloc(25e4), (async function* () { yield Buffer.alloc(4e5); yield Buffer.alloc(4e5) })()]) {
        await storage.put('sub/big.bin', value).then(() => console.log('stored'), (error) => console.log(error.code, error.retry))
      }
      await storage.put('sub/small.bin', 'fits')`
    const { stdout } = await run('bash', ['-c', 'ulimit -f 200; exec "$@"', 'bash', process.execPath, ...child(body)])
    expect(stdout).toBe('disk-full false\n'.repeat(3))
    expect(await readdir(join(path, 'sub'))).toEqual(['small.bin'])
  })

  test('what a killed process was writing is never listed, and the next list removes it', async () => {
    const body = `await storage.put('images2/x.jpg', (async function* () { yield Buffer.alloc(3e5); process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}) })())`
    await expect(run(process.execPath, child(body))).rejects.toMatchObject({ signal: 'SIGKILL' })
    expect(await readdir(join(path, 'images2'))).toHaveLength(1)
    const storage = await openFolder(path)
    expect(await Array.fromAsync(storage.list(''))).toEqual([])
    expect(await readdir(join(path, 'images2'))).toEqual([])
  })

  test('what another machine is writing stays until it is an hour old', async () => {
    const name = '.00000000-1-123e4567-e89b-12d3-a456-426614174000.tmp~'
    await writeFile(join(path, name), 'half')
    const storage = await openFolder(path)
    expect(await Array.fromAsync(storage.list(''))).toEqual([])
    expect(await readdir(path)).toEqual([name])
    const before = new Date(Date.now() - 3_700_000)
    await utimes(join(path, name), before, before)
    expect(await Array.fromAsync(storage.list(''))).toEqual([])
    expect(await readdir(path)).toEqual([])
  })

  test('a list reads the deepest folder of its prefix, and none above or beside it', async () => {
    const storage = await openFolder(path)
    for (const key of ['work/fetch/1_2/q.json', 'work/fetch/1_3/q.json']) await storage.put(key, '{}')
    const abandoned = ['', 'work/', 'work/fetch/', 'work/fetch/1_3/'].map((folder) =>
      join(path, folder, '.00000000-1-123e4567-e89b-12d3-a456-426614174000.tmp~'),
    )
    const before = new Date(Date.now() - 3_700_000)
    for (const file of abandoned) {
      await writeFile(file, 'half')
      await utimes(file, before, before)
    }
    expect(await Array.fromAsync(storage.list('work/fetch/1_2/'))).toMatchObject([{ key: 'work/fetch/1_2/q.json' }])
    // Reading a folder removes what killed processes left in it, so these were not read.
    for (const file of abandoned) expect(await readFile(file, 'utf8')).toBe('half')
  })

  test('a put replaces a file and never writes into it: who reads the old one reads it to its end', async () => {
    const storage = await openFolder(path)
    await storage.put('a.bin', 'old value')
    const reader = await open(join(path, 'a.bin'))
    await storage.put('a.bin', 'new')
    expect(await reader.readFile('utf8')).toBe('old value')
    await reader.close()
    expect(await readFile(join(path, 'a.bin'), 'utf8')).toBe('new')
  })

  test('a folder of images may be a link to another place', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'skyscript-linked-'))
    await symlink(elsewhere, join(path, 'images3'))
    const storage = await openFolder(path)
    await storage.put('images3/x.jpg', 'x')
    expect(await Array.fromAsync(storage.list('images3/'))).toMatchObject([{ key: 'images3/x.jpg', size: 1 }])
    await rm(elsewhere, { recursive: true })
  })

  test("says what to do where it can't be made", async () => {
    await writeFile(join(path, 'file'), '')
    await expect(openFolder(join(path, 'file', 'below'))).rejects.toMatchObject({ code: 'bad-output' })
    await mkdir(join(path, 'taken.txt'))
    const storage = await openFolder(path)
    await expect(storage.put('taken.txt', 'x')).rejects.toMatchObject({ code: 'storage-failed' })
    expect(await readdir(path)).toEqual(['file', 'taken.txt'])
  })
})
