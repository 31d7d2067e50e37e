import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packTar } from 'modern-tar'
import { expect, test } from 'vitest'
import { readWebdataset } from './webdataset.ts'

const SAMPLES = 60
const SILENT = { note() {}, warn() {}, stage: () => ({ update() {}, end() {} }) } as never

test('every image of a shard is read, wherever the chunks of the file begin', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-webdataset-'))
  try {
    // Sizes that put headers and bodies of images and labels at all kinds of places in chunks of 64 KiB.
    const images = Array.from({ length: SAMPLES }, (_, i) => new Uint8Array(2000 + 1499 * (i % 7)).fill(i))
    const members = images.flatMap((body, i) => [
      { header: { name: `s${i}.jpg`, size: body.length }, body },
      { header: { name: `s${i}.cls`, size: 1 }, body: String(i % 5) },
    ])
    await mkdir(join(folder, 'test'))
    await writeFile(join(folder, 'classnames.txt'), 'lake\nroad\nroof\nfield\nbeach\n')
    await writeFile(join(folder, 'test/nshards.txt'), '2')
    await writeFile(join(folder, 'test/0.tar'), await packTar(members))
    const later = members.map(({ header, body }) => ({ header: { ...header, name: `t${header.name}` }, body }))
    // Without the first image, all that follows is at other places.
    await writeFile(join(folder, 'test/1.tar'), await packTar(later.slice(2)))

    const { read } = await readWebdataset(folder, 'test')
    const { set } = await read({ skipMissing: false, terminal: SILENT })
    expect(set.rows).toHaveLength(2 * SAMPLES - 1)
    const found: (Uint8Array | string)[] = []
    for await (const image of set.images.read(set.rows.map(({ path }) => path))) found.push(image)
    expect(found).toEqual([...images, ...images.slice(1)])
  } finally {
    await rm(folder, { recursive: true })
  }
})
