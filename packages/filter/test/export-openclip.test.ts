import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openClipModel } from '../src/clip/clip-model.ts'
import { DEMO_MODEL, haveReference, REFERENCE } from './support/models.ts'

const TOOL = fileURLToPath(new URL('../../../tools/export-openclip.py', import.meta.url))
const RUNNER = fileURLToPath(new URL('./support/run_exports.py', import.meta.url))
const CHECKPOINTS = fileURLToPath(new URL('./support/clip_checkpoint.py', import.meta.url))

/** A Python that has PyTorch; a system's own may have it where the first on the path doesn't. */
const python = ['python3', '/usr/bin/python3'].find(
  (each) => spawnSync(each, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0,
)
if (python === undefined) console.warn('Skipped: no python3 here has PyTorch (Debian: apt-get install python3-torch).')
const here = python !== undefined && haveReference()

interface Expected {
  readonly pixels: readonly number[]
  readonly ids: readonly (readonly number[])[]
  readonly side: number
  readonly gelu: { readonly images: number[][]; readonly texts: number[][] }
  readonly quick: { readonly images: number[][]; readonly texts: number[][] }
}

let folder: string
let expected: Expected
beforeAll(async () => {
  if (!here) return
  folder = await mkdtemp(join(tmpdir(), 'skyscript-openclip-'))
  const { status, stderr } = spawnSync(python!, [CHECKPOINTS, folder], { encoding: 'utf8' })
  expect(stderr.replace(/.*Warning.*\n.*\n/g, '')).toBe('')
  expect(status).toBe(0)
  expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as Expected
})

afterAll(async () => {
  if (here) await rm(folder, { recursive: true })
})

interface Run {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

function runAll(list: readonly (readonly string[])[]): Run[] {
  const args = [RUNNER, TOOL, JSON.stringify(list)]
  const { status, stdout, stderr } = spawnSync(python!, args, { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout) as Run[]
}

const words = () => ['--tokenizer', join(REFERENCE, 'tokenizer.json')]
const modelOf = (checkpoint: string) => join(folder, `${checkpoint}-model`)
const argsOf = (checkpoint: string, output: string, options: readonly string[]) => {
  const vocabulary = options.includes('--vocabulary') || options.includes('--tokenizer') ? [] : words()
  return [join(folder, checkpoint), '--output', output, ...vocabulary, ...options]
}

async function embeddingsOf(model: string) {
  const { pixels, ids, side } = expected
  const clip = await openClipModel({ folder: model, device: 'cpu', threads: 1, width: side, height: side })
  const images = await clip.embedImages(Float32Array.from(pixels))
  const texts: Float32Array[] = []
  for (const row of ids) texts.push(await clip.embedText(BigInt64Array.from(row, BigInt), row.indexOf(49_407) + 1))
  return { images, texts }
}

const largest = (a: readonly Float32Array[], b: readonly (readonly number[])[]) =>
  Math.max(...a.flatMap((row, i) => Array.from(row, (value, j) => Math.abs(value - b[i]![j]!))))

const KINDS = [
  ['a state dict', 'plain.pt', [], 'gelu'],
  ["a training checkpoint with its processes' prefix", 'training.pt', [], 'gelu'],
  ['a text projection that is a linear layer', 'linear.pt', [], 'gelu'],
  ['safetensors', 'weights.safetensors', [], 'gelu'],
  ['16-bit weights of QuickGELU', 'half.pt', ['--quick-gelu'], 'quick'],
  ["an archive as OpenAI's, which is QuickGELU unasked", 'archive.pt', [], 'quick'],
] as const

test.skipIf(!here)('every kind of checkpoint gives in onnxruntime what PyTorch computes', async () => {
  const runs = runAll(KINDS.map(([, checkpoint, options]) => argsOf(checkpoint, modelOf(checkpoint), options)))
  for (const [i, [what, checkpoint, , kind]] of KINDS.entries()) {
    const { status, stderr, stdout } = runs[i]!
    expect(status, stderr).toBe(0)
    expect(stdout).toContain('24 x 24 pixels')
    const { images, texts } = await embeddingsOf(modelOf(checkpoint))
    expect(largest(images, expected[kind].images), what).toBeLessThan(1e-5)
    expect(largest(texts, expected[kind].texts), what).toBeLessThan(1e-5)
    const other = kind === 'gelu' ? expected.quick : expected.gelu
    expect(largest(images, other.images), what).toBeGreaterThan(1e-4)
  }
})

test.skipIf(!here)("a tokenizer made of OpenCLIP's vocabulary file is the hub's", async () => {
  const hub = JSON.parse(await readFile(join(REFERENCE, 'tokenizer.json'), 'utf8'))
  const lines = ['"bpe_simple_vocab_16e6.txt#version: 0.2', ...hub.model.merges, 'left out', 'for being beyond']
  const vocabulary = join(folder, 'bpe_simple_vocab_16e6.txt.gz')
  await writeFile(vocabulary, gzipSync(lines.join('\n')))
  const model = modelOf('vocabulary')
  const [run] = runAll([argsOf('plain.pt', model, ['--vocabulary', vocabulary])])
  expect(run!.status, run!.stderr).toBe(0)
  const made = JSON.parse(await readFile(join(model, 'tokenizer.json'), 'utf8'))
  expect(made.model).toEqual(hub.model)
  for (const part of ['normalizer', 'pre_tokenizer', 'post_processor']) expect(made[part]).toEqual(hub[part])
})

test.skipIf(!here)('what is no plain CLIP, or not as told, is refused in one sentence and leaves no folder', () => {
  const refusals = [
    ['resnet.pt', [], 'a vision transformer with a class token is due'],
    ['without.pt', [], 'lacks visual.proj'],
    ['gone.pt', [], 'is not there'],
    ['expected.json', [], "can't be read as a PyTorch checkpoint"],
    ['plain.pt', ['--tokenizer', join(DEMO_MODEL, 'tokenizer.json')], 'take the tokenizer of this model'],
    ['plain.pt', ['--vision-heads', '3'], "can't be split into 3 heads"],
  ] as const
  const refused = join(folder, 'refused')
  const runs = runAll([
    ...refusals.map(([checkpoint, options]) => argsOf(checkpoint, refused, options)),
    argsOf('plain.pt', folder, []),
  ])
  for (const [i, message] of [...refusals.map(([, , text]) => text), 'is there already'].entries()) {
    const { status, stderr, stdout } = runs[i]!
    expect(status).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain(message)
    expect(stderr.trim()).not.toContain('\n')
  }
  expect(existsSync(refused)).toBe(false)
})
