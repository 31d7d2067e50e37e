import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openClipModel } from '../../packages/filter/src/clip/clip-model.ts'
import { ROOT } from '../support/skyscript.ts'
import { MODEL } from '../support/town.ts'
import { python } from './python.ts'

type Rows = readonly (readonly number[])[]

interface Trained {
  readonly pixels: readonly number[]
  readonly ids: Rows
  /** Normalised, by OpenCLIP. */
  readonly images: Rows
  readonly texts: Rows
  readonly runs: Readonly<Record<string, { readonly status: number; readonly said: string }>>
  /** Folder of the exported model. */
  readonly model: string
}

interface Answer {
  readonly side: number
  readonly models: Readonly<Record<string, Trained>>
  readonly published: Readonly<
    Record<string, { readonly openclip: readonly number[]; readonly tool: readonly number[] }>
  >
}

let folder: string
let answer: Answer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-openclip-'))
  const tool = join(ROOT, 'tools', 'export-openclip.py')
  answer = python('torch', 'openclip_checkpoint.py', [tool, join(MODEL, 'tokenizer.json'), folder])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const largest = (a: readonly Float32Array[], b: Rows) =>
  Math.max(...a.flatMap((row, i) => Array.from(row, (value, j) => Math.abs(value - b[i]![j]!))))

test("checkpoints of OpenCLIP's training, whatever their heads and activation, give what OpenCLIP computes", async () => {
  const { side, models } = answer
  for (const { pixels, ids, images, texts, runs, model } of Object.values(models)) {
    expect(runs.exported!.status, runs.exported!.said).toBe(0)
    expect(runs.exported!.said).toMatch(/Images: .*heads 2;.*\nCaptions: .*heads 4;/)
    const clip = await openClipModel({ folder: model, width: side, height: side, device: 'cpu', threads: 1 })
    expect(largest(await clip.embedImages(Float32Array.from(pixels)), images)).toBeLessThan(1e-5)
    const embedded: Float32Array[] = []
    for (const row of ids)
      embedded.push(await clip.embedText(BigInt64Array.from(row, BigInt), row.indexOf(Math.max(...row)) + 1))
    expect(largest(embedded, texts)).toBeLessThan(1e-5)
  }
})

test('what would give other embeddings is refused in a sentence', () => {
  for (const { runs } of Object.values(answer.models)) {
    for (const name of ['nothing told', 'other activation', 'other heads']) {
      expect(runs[name]!.status, name).toBe(1)
      expect(runs[name]!.said.trim()).not.toContain('\n')
    }
    expect(runs['nothing told']!.said).toMatch(/can't be seen from its weights/)
    expect(runs['other activation']!.said).toMatch(/says (Quick)?GELU, but .*\.json says (Quick)?GELU; one is wrong/)
    expect(runs['other heads']!.said).toMatch(/--text-heads says 1 head in the text tower, but .* says 4/)
  }
})

test('the heads that the tool knows of published models are those of their configurations', () => {
  expect(Object.keys(answer.published).length).toBeGreaterThan(20)
  for (const [name, { openclip, tool }] of Object.entries(answer.published)) expect(tool, name).toEqual(openclip)
})
