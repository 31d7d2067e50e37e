import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { ROOT } from '../support/skyscript.ts'
import { evaluationCsv, TOWN_CSVS } from './dataset.ts'

const DOCS = readFileSync(join(ROOT, 'docs', 'how-to', 'train.md'), 'utf8')

/** What another dataset, model and machine change in the commands of the documentation; all else runs as it is written. */
const CHANGES: readonly (readonly [RegExp, string])[] = [
  [/python3? -m open_clip_train\.main/g, `"$PYTHON" -B ${join(ROOT, 'examples', 'train', 'train.py')} --seed 1`],
  [/python3? tools\//g, `"$PYTHON" -B ${ROOT}/tools/`],
  [/npm start --/g, `${process.execPath} ${join(ROOT, 'packages', 'worker', 'src', 'main.ts')}`],
  [/SkyScript-Andorra_train_top30pct_filtered_by_CLIP_openai\.csv/g, TOWN_CSVS.top30],
  [/SkyScript-Andorra_val_5K_filtered_by_CLIP_openai\.csv/g, evaluationCsv('val', 'openai')],
  [/\{00000\.\.00012\}/g, '00000'],
  [/--model ViT-B-32 --pretrained \S+/g, '--model small-clip --precision fp32'],
  [/--batch-size 128/g, '--batch-size 4'],
  [/--warmup 1000 --epochs 20 --workers 8/g, '--warmup 2 --epochs 1 --workers 0'],
  [/epoch_20\.pt/g, `epoch_1.pt --config ${join(ROOT, 'examples', 'train', 'small-clip.json')}`],
]

/** The commands below a heading of the documentation, changed. */
function commandsBelow(heading: string): string[] {
  const section = DOCS.split(/^## /m).find((text) => text.startsWith(`${heading}\n`))
  const blocks = [...(section ?? '').matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block]) => block!)
  return blocks.map((block) => CHANGES.reduce((text, [from, to]) => text.replace(from, to), block))
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-train-docs-'))
  await cp(inject('datasets').town, join(folder, 'andorra'), { recursive: true })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function shell(script: string): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, PYTHON: process.env.READERS_TORCH_PYTHON!, OMP_NUM_THREADS: '1', PYTHONWARNINGS: 'ignore' },
  })
  if (status !== 0) throw new Error(`ended with ${status}:\n${script}\n${stderr.slice(-4000)}`)
  return stdout
}

test('the documented commands of OpenCLIP train on the CSV and on the shards, and what they write is exported', () => {
  const [csv, shards, ...rest] = commandsBelow('Train with OpenCLIP')
  expect([csv, shards, rest]).toEqual([expect.any(String), expect.any(String), []])
  shell(csv!)
  shell(shards!)
  const trained = globSync('*/checkpoints/epoch_1.pt', { cwd: join(folder, 'logs') }).sort()
  expect(trained).toEqual(['sky-b32-shards/checkpoints/epoch_1.pt', 'sky-b32/checkpoints/epoch_1.pt'])
  const results = readFileSync(join(folder, 'logs/sky-b32/checkpoints/results.jsonl'), 'utf8')
  expect(JSON.parse(results)).toMatchObject({ epoch: 1, num_samples: 4 })
  const [measure] = commandsBelow('Measure what was trained')
  shell(
    'cp "$("$PYTHON" -c "from open_clip.tokenizer import default_bpe; print(default_bpe())")" bpe_simple_vocab_16e6.txt.gz\n' +
      measure!.split('\n')[0]!,
  )
  expect(existsSync(join(folder, 'sky-b32', 'onnx', 'vision_model.onnx'))).toBe(true)
})
