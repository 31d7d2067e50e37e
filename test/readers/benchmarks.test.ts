import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AWKWARD, ROOFS, SCENES, storeWithSets } from '../../packages/dataset/test/support/benchmark-sets.ts'
import { createTestDataset, type TestRow } from '../../packages/dataset/test/support/test-dataset.ts'
import { skyscriptHere } from '../support/skyscript-here.ts'
import { python } from './python.ts'

type Size = readonly [width: number, height: number]

interface Webdataset {
  readonly classes: readonly string[] | null
  /** By class, its prompts. */
  readonly texts: readonly string[][] | null
  readonly counts: Readonly<Record<string, number>> | null
  readonly samples: readonly (readonly [size: Size, label: number | readonly string[]])[]
}

interface Loaded {
  readonly webdatasets: Readonly<Record<string, Readonly<Record<'train' | 'test', Webdataset>>>>
  readonly folders: Readonly<
    Record<string, { folders: string[]; classes: string[]; images: Record<string, string>; sizes: Size[] }>
  >
}

let folder: string
let rows: readonly TestRow[]
let loaded: Loaded
const at = (...names: string[]) => join(folder, ...names)
const sizeOf = ({ width, height }: TestRow): Size => [width, height]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-benchmarks-'))
  rows = (await createTestDataset()).rows
  for (const [path, bytes] of (await storeWithSets()).files) {
    await mkdir(dirname(at('town', path)), { recursive: true })
    await writeFile(at('town', path), bytes)
  }
  for (const format of ['clip-benchmark', 'image-folder', 'hugging-face']) {
    const { code, stderr } = await skyscriptHere(['export', at('town'), '--format', format, '--to', at(format)])
    expect(code, stderr).toBe(0)
  }
  loaded = python<Loaded>('torch', 'benchmarks_torch.py', [at('clip-benchmark'), at('image-folder')])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test("CLIP_benchmark's own builder loads each set with its classes, prompts and images", () => {
  const { webdatasets } = loaded
  expect(Object.keys(webdatasets)).toEqual([
    ...['SkyScript_cls', 'SkyScript_retrieval', 'farm', 'roof_shape', 'roof_shape_v2'],
  ])
  const scenes = webdatasets.SkyScript_cls!.test
  expect(scenes.classes).toEqual(SCENES)
  expect(scenes.counts).toEqual(Object.fromEntries(SCENES.map((name) => [name, 3])))
  expect(scenes.texts![2]).toEqual(['a satellite photo of glacier.', 'a satellite image of glacier'])
  expect(scenes.samples).toEqual(rows.slice(0, 15).map((row, i) => [sizeOf(row), i % 5]))
  // Braces other than {c} stay what they are.
  expect(webdatasets.farm!.test.texts![2]).toEqual(['a .., {from} above', 'seen: ..'])
  expect(webdatasets.farm!.test.classes).toEqual([...AWKWARD, 'never seen'])
  expect(webdatasets.farm!.test.counts).toEqual(Object.fromEntries(AWKWARD.map((name) => [name, 2])))
  expect(webdatasets.roof_shape!.test.classes).toEqual(ROOFS.label_v1)
  expect(webdatasets.roof_shape_v2!.test.counts).toEqual({ flat: 3, pitched: 4 })
  // Half of the training images show a gabled roof; a part without images opens too.
  const gabled = rows.filter((row) => row.split === 'train' && row.center_tags.includes('gabled')).length
  expect(gabled).toBeGreaterThan(0)
  expect(webdatasets.roof_shape!.train.counts).toEqual({ 'roof shape of gabled': gabled })
  expect(scenes.classes).toEqual(webdatasets.SkyScript_cls!.train.classes)
  expect(webdatasets.SkyScript_cls!.train.samples).toEqual([])
})

test("CLIP_benchmark reads a retrieval set's captions, each on its own line", () => {
  const { classes, samples } = loaded.webdatasets.SkyScript_retrieval!.test
  expect(classes).toBeNull()
  expect(samples).toEqual(
    rows.slice(0, 10).map((row, i) => [sizeOf(row), [i === 3 ? `two lines of ${row.id}` : row.title_multi_objects]]),
  )
})

test("torchvision's ImageFolder numbers the classes as classnames.txt does", () => {
  const { SkyScript_cls: scenes, farm } = loaded.folders
  expect(scenes!.classes).toEqual([...SCENES].sort())
  expect(scenes!.folders).toEqual(scenes!.classes)
  const labels = (count: number, classes: readonly string[]) =>
    Object.fromEntries(
      rows.slice(0, count).map(({ filepath }, i) => [basename(filepath), classes[i % classes.length]!]),
    )
  expect(scenes!.images).toEqual(labels(15, SCENES))
  expect(farm!.images).toEqual(labels(12, AWKWARD))
  expect(farm!.folders).toEqual(['Barn_stable', 'Shed_2', '__', 'con_', 'shed', '温室'])
  expect(farm!.classes).toEqual(['Barn/stable', 'Shed', '..', 'con', 'shed', '温室'])
  expect(Object.keys(loaded.folders)).toEqual(['SkyScript_cls', 'farm', 'roof_shape', 'roof_shape_v2'])
})

test("Hugging Face's datasets gives images, captions, and class labels with their names", () => {
  const sets = python<
    Record<string, { images: string[]; labels: Record<string, string[]>; rows: Record<string, unknown>[] }>
  >('plain', 'benchmarks_huggingface.py', [at('cache'), at('hugging-face')])
  expect(Object.keys(sets)).toEqual(['SkyScript_cls', 'SkyScript_retrieval', 'farm', 'roof_shape'])
  for (const { images } of Object.values(sets)) expect(images).toEqual(['image'])
  expect(sets.SkyScript_cls!.labels).toEqual({ label: SCENES })
  expect(sets.roof_shape!.labels).toEqual(ROOFS)
  expect(sets.SkyScript_retrieval!.labels).toEqual({})
  expect(sets.roof_shape!.rows.map(({ label_v1, label_v2 }) => [label_v1, label_v2])).toEqual(
    Array.from({ length: 8 }, (_, i) => [i % 2, i === 0 ? null : i % 2]),
  )
  expect(sets.SkyScript_retrieval!.rows[0]).toEqual({
    image: [sizeOf(rows[0]!), 'RGB'],
    ...Object.fromEntries(
      (['title', 'title_multi_objects', 'filepath', 'source', 'gsd', 'licence', 'credit'] as const).map((name) => [
        name,
        rows[0]![name],
      ]),
    ),
  })
  expect(sets.farm!.rows.map(({ label }) => label)).toEqual(rows.slice(0, 12).map((_, i) => i % 6))
})
