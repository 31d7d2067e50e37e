import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { ROOT, skyscript } from '../support/skyscript.ts'
import { rowsOf, TOWN_CSVS } from './dataset.ts'
import { python } from './python.ts'

const CLASSES = ['lake', 'residential land', 'railway station', 'forest', 'quarry', 'solar power plant', 'church']

interface Answer {
  readonly model: string
  readonly classification: Record<string, unknown>
  readonly retrieval: Record<'image_to_text' | 'text_to_image', Record<string, number>>
}

let folder: string
let answer: Answer
const at = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-evaluate-'))
  process.env.SKYSCRIPT_CACHE = at('cache')
  const { town } = inject('datasets')
  const rows = rowsOf(town, TOWN_CSVS.unfiltered)
  const labels = rows.map(({ filepath }, i) => `${filepath},${i % 10 === 9 ? '' : CLASSES[(i * i) % 7]}\n`)
  await writeFile(at('labels.csv'), `filepath,label\n${labels.join('')}`)
  await writeFile(at('classes.txt'), `${CLASSES.join('\n')}\n`)
  const [tool, captions] = [join(ROOT, 'tools', 'export-openclip.py'), join(town, TOWN_CSVS.unfiltered)]
  const args = [tool, folder, town, at('labels.csv'), at('classes.txt'), captions]
  answer = python('torch', 'openclip_evaluate.py', args)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function evaluate(...args: string[]) {
  const { code, stdout, stderr } = await skyscript([
    'evaluate',
    '--model',
    answer.model,
    '--allow-training',
    '--json',
    ...args,
  ])
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

test('accuracy on images of a dataset is that of OpenCLIP with the same weights', async () => {
  const { town } = inject('datasets')
  const given = ['--classify', at('labels.csv'), '--classes', at('classes.txt'), '--root', town]
  const { top1, top5, ...counts } = await evaluate(...given)
  expect(counts).toEqual(answer.classification)
  expect([top1, top5]).toEqual([counts.correct1 / counts.n, counts.correct5 / counts.n])
  expect(counts.correct1).toBeGreaterThan(0)
})

test("recall on a dataset's CSV is that of OpenCLIP with the same weights", async () => {
  const { town } = inject('datasets')
  const { image_to_text, text_to_image, ...sizes } = await evaluate('--retrieve', join(town, TOWN_CSVS.unfiltered))
  const { image_to_text: images, text_to_image: texts, ...due } = answer.retrieval
  expect(sizes).toEqual(due)
  for (const [ours, theirs] of [
    [image_to_text, images],
    [text_to_image, texts],
  ] as const)
    for (const [name, value] of Object.entries(theirs)) expect(Math.abs(ours[name] - value), name).toBeLessThan(1e-6)
})
