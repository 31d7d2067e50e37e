/**
 * Seconds to list a folder of many small files: `npm run bench:list -- [files]`, 1,000,000 by default. They are made in
 * the system's temporary folder, as images in six folders, and one more folder for each 25 files as results of tiles.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolder } from '../src/storages/folder.ts'

const files = Number(process.argv[2] ?? 1_000_000)
const root = mkdtempSync(join(tmpdir(), 'skyscript-bench-list-'))
try {
  for (let n = 2; n < 8; n++) mkdirSync(join(root, `images${n}`))
  for (let i = 0; i < files; i++) writeFileSync(join(root, `images${2 + (i % 6)}`, `a${i * 7919}_CH_19.jpg`), 'x')
  const tiles = Math.ceil(files / 25)
  for (let i = 0; i < tiles; i++) {
    mkdirSync(join(root, 'work', 'caption', `${i}_0`), { recursive: true })
    writeFileSync(join(root, 'work', 'caption', `${i}_0`, 'q.json'), '{}')
  }
  const storage = await openFolder(root)
  for (const prefix of ['images', 'work/', 'work/caption/5_0/']) {
    const start = performance.now()
    let count = 0
    for await (const { size } of storage.list(prefix)) count += Math.sign(size)
    console.log(`${prefix}: ${count} files in ${((performance.now() - start) / 1000).toFixed(3)} s`)
  }
} finally {
  rmSync(root, { recursive: true })
}
