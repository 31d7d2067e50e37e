// @module-tag slow
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lacks, sharedFile } from './support/needs.ts'
import { filesOf, makeFolder, ROOT, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { MODEL } from './support/town.ts'

/** Real extracts, which lie beside a development checkout and are no part of the project. */
const DATA = join(ROOT, '..', 'shared', 'data')

const REGIONS = [
  { file: 'andorra-2024.osm.pbf', sources: ['ES', 'S2'] },
  { file: 'helsinki.osm.pbf', sources: ['FI', 'S2'] },
  { file: 'queens.osm.pbf', sources: ['US', 'S2'] },
] as const

let folder: Awaited<ReturnType<typeof makeFolder>>
beforeAll(async () => {
  folder = await makeFolder('real')
})
afterAll(() => folder?.remove())

for (const { file, sources } of REGIONS) {
  const source = join(DATA, file)
  test.skipIf(lacks(sharedFile('data', file)))(
    `${file} gives a dataset with ${sources.join(' and ')} images that verify accepts`,
    async () => {
      const name = file.split('.')[0]!
      const output = join(folder.path, name)
      const region = await writeRegion(join(folder.path, `${name}.yaml`), {
        name,
        osm: { source },
        imagery: { sources, earthEngine: { endpoint: 'local' } },
        selection: { cells: 12, rareTagsBelow: 0, maxPerTag: 1 },
        tiles: { minPixels: 32, maxPixels: 160, pointPixels: 64 },
        filter: {
          scorers: [{ name: 'openai', model: MODEL }],
          val: 5,
          test: 10,
          split: { degrees: 0.01, val: 5, test: 10 },
        },
        output,
      })
      const built = await skyscriptHere(['build', region, '--json'])
      expect(built.code, built.stderr).toBe(0)
      const { rows, counts } = JSON.parse(built.stdout)
      expect(rows['manifest.parquet']).toBe(counts.kept)
      expect(counts.kept).toBeGreaterThan(20)
      const verified = await skyscriptHere(['verify', output, '--json'])
      expect(verified.code, verified.stdout).toBe(0)
      const images = Object.keys(filesOf(output)).filter((path) => path.endsWith('.jpg'))
      for (const alias of sources)
        expect(
          images.some((path) => path.includes(`_${alias}_`)),
          alias,
        ).toBe(true)
    },
    180_000,
  )
}
