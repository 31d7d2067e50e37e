import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { openScorer } from '@skyscript/filter'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { normalised, openClipModel } from '../src/clip/clip-model.ts'
import { parsePreprocessing } from '../src/clip/preprocessor-config.ts'
import { createTokenizer } from '../src/clip/tokens.ts'
import { MODEL_FILES } from '../src/model/model-folder.ts'
import { DEMO_MODEL, haveReference, REFERENCE } from './support/models.ts'

const TOOL = fileURLToPath(new URL('../../../tools/export-openclip.py', import.meta.url))
const RUNNER = fileURLToPath(new URL('./support/run_exports.py', import.meta.url))

/** A tokenizer of CLIP's kind, but a small one. */
const TOKENIZER = join(DEMO_MODEL, 'tokenizer.json')

/** A Python that has PyTorch; a system's own may have it where the first on the path doesn't. */
const FIND = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
const python = ['python3', '/usr/bin/python3'].find(
  (each) => spawnSync(each, ['-c', FIND], { stdio: 'ignore' }).status === 0,
)
if (python === undefined) console.warn('Skipped: no python3 here has PyTorch (Debian: apt-get install python3-torch).')
const here = python !== undefined
const reference = here && haveReference()

const KINDS = [
  ['a state dict', 'plain.pt', [], 'gelu'],
  ["a training checkpoint with its processes' prefix", 'training.pt', [], 'gelu'],
  ['a text projection that is a linear layer', 'linear.pt', [], 'gelu'],
  ['safetensors', 'weights.safetensors', [], 'gelu'],
  ['16-bit weights of QuickGELU', 'half.pt', ['--quick-gelu'], 'quick'],
  ["an archive as OpenAI's, which is QuickGELU unasked", 'archive.pt', [], 'quick'],
] as const

const OTHER_IMAGES = [
  ...['--mean', '0', '0.25', '1', '--std', '1', '2', '3'],
  ...['--interpolation', 'bilinear', '--image-size', '30'],
]

/** Files are of the test's folder where they begin with `./`. */
const REFUSALS = [
  ['resnet.pt', [], 'a ResNet for images'],
  ['timm.pt', [], 'comes from timm'],
  ['coca.pt', [], 'is of a CoCa'],
  ['attention-pool.pt', [], 'pools images by attention'],
  ['layer-scale.pt', [], 'layer scale'],
  ['language-model.pt', [], 'another language model'],
  ['transformers.pt', [], 'the transformers library'],
  ['unknown-layer.pt', [], 'also has transformer.resblocks.0.attn.ln_q.weight'],
  ['without-projection.pt', [], 'lacks visual.proj'],
  ['other-size.pt', [], 'size mismatch for ln_post.bias'],
  ['not-finite.pt', [], 'no finite numbers'],
  ['list.pt', [], 'no state dict'],
  ['cut.safetensors', [], "can't be read as safetensors"],
  ['expected.json', [], "can't be read as a checkpoint"],
  ['gone.pt', [], 'is not there'],
  ['other-archive.pt', [], '--quick-gelu or --gelu'],
  ['plain.pt', ['--tokenizer', './other-tokenizer.json'], 'take the tokenizer of this model'],
  ['plain.pt', ['--tokenizer', './gone.json'], "can't be read as a tokenizer.json"],
  ['plain.pt', ['--vocabulary', TOKENIZER], "can't be read as a bpe_simple_vocab_16e6.txt.gz"],
  ['plain.pt', ['--vision-heads', '3'], "can't be split into 3 heads"],
  ['plain.pt', ['--image-size', '32'], "--image-size 32 doesn't fit"],
  ['plain.pt', ['--output', './'], 'is there already'],
] as const

type Rows = readonly (readonly number[])[]
interface Expected {
  readonly pixels: readonly number[]
  readonly ids: Rows
  readonly side: number
  readonly gelu: { readonly images: Rows; readonly texts: Rows }
  readonly quick: { readonly images: Rows; readonly texts: Rows }
}
interface Answer {
  readonly runs: Readonly<Record<string, { readonly status: number; readonly stdout: string; readonly stderr: string }>>
  readonly tokenizer: unknown
}

let folder: string
let expected: Expected
let answer: Answer
beforeAll(async () => {
  if (!here) return
  folder = await mkdtemp(join(tmpdir(), 'skyscript-openclip-'))
  await writeFile(join(folder, 'other-tokenizer.json'), JSON.stringify({ model: { vocab: { a: 0 } } }))
  const { model } = JSON.parse(await readFile(TOKENIZER, 'utf8'))
  const small = await vocabularyOf(model.merges, 'small.txt.gz')
  // The real file goes on behind the merges that are used.
  const whole = reference
    ? await vocabularyOf([...(await readReference('tokenizer.json')).model.merges, 'left out', 'too'], 'whole.txt.gz')
    : null

  const runs: Record<string, readonly string[]> = {}
  const add = (name: string, checkpoint: string, options: readonly string[], output = modelOf(name)) => {
    const told = options.includes('--vocabulary') || options.includes('--tokenizer')
    const words = told ? [] : ['--tokenizer', TOKENIZER]
    const placed = options.map((option) => (option.startsWith('./') ? join(folder, option) : option))
    // The last of two outputs holds.
    runs[name] = [join(folder, checkpoint), '--output', output, ...words, ...placed]
  }
  for (const [, checkpoint, options] of KINDS) add(checkpoint, checkpoint, options)
  add('again', 'plain.pt', [])
  add('images', 'plain.pt', OTHER_IMAGES)
  add('wide', 'wide.pt', [])
  add('split', 'wide.pt', ['--vision-heads', '20', '--text-heads', '10'])
  add('vocabulary', 'plain.pt', ['--vocabulary', small])
  for (const [i, [checkpoint, options]] of REFUSALS.entries())
    add(`refused ${i}`, checkpoint, options, modelOf('refused'))

  const tokens = String(Object.keys(model.vocab).length)
  const args = ['-B', RUNNER, TOOL, folder, tokens, JSON.stringify({ runs, vocabulary: whole })]
  // Without -B Python would leave its compiled files beside the sources.
  const { status, stdout, stderr } = spawnSync(python, args, { encoding: 'utf8', maxBuffer: 1 << 26 })
  expect(status, stderr).toBe(0)
  answer = JSON.parse(stdout) as Answer
  expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as Expected
})

afterAll(async () => {
  if (here) await rm(folder, { recursive: true })
})

const modelOf = (name: string) => join(folder, `${name}-model`)
const readReference = async (name: string) => JSON.parse(await readFile(join(REFERENCE, name), 'utf8'))

/** A vocabulary file as OpenCLIP's, of a tokenizer's merges. */
async function vocabularyOf(merges: readonly string[], name: string): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, gzipSync(['"bpe_simple_vocab_16e6.txt#version: 0.2', ...merges].join('\n')))
  return file
}

/** What the tool said of an export that it made. */
function exported(name: string): string {
  const { status, stdout, stderr } = answer.runs[name]!
  expect(status, stderr).toBe(0)
  expect(stderr).toBe('')
  return stdout
}

/** The largest difference of any two numbers. */
const largest = (a: readonly Float32Array[], b: Rows) =>
  Math.max(...a.flatMap((row, i) => Array.from(row, (value, j) => Math.abs(value - b[i]![j]!))))
const unit = (rows: Rows) => rows.map((row) => [...normalised(Float32Array.from(row))])

test.skipIf(!here)('every kind of checkpoint gives in onnxruntime what PyTorch computes', async () => {
  const { pixels, ids, side } = expected
  for (const [what, checkpoint, , kind] of KINDS) {
    expect(exported(checkpoint)).toContain('24 x 24 pixels')
    const at = { folder: modelOf(checkpoint), width: side, height: side }
    const clip = await openClipModel({ ...at, device: 'cpu', threads: 1 })
    const images = await clip.embedImages(Float32Array.from(pixels))
    const texts: Float32Array[] = []
    for (const row of ids) {
      const used = row.indexOf(Math.max(...row)) + 1
      texts.push(await clip.embedText(BigInt64Array.from(row, BigInt), used))
    }
    expect(largest(images, unit(expected[kind].images)), what).toBeLessThan(1e-5)
    expect(largest(texts, unit(expected[kind].texts)), what).toBeLessThan(1e-5)
    const other = kind === 'gelu' ? expected.quick : expected.gelu
    expect(largest(images, unit(other.images)), what).toBeGreaterThan(1e-4)
    expect(largest(texts, unit(other.texts)), what).toBeGreaterThan(1e-4)
  }
})

test.skipIf(!here)('both halves take any number of rows and give them unnormalised', async () => {
  exported('plain.pt')
  const { pixels, ids, side, gelu } = expected
  for (const count of [1, ids.length]) {
    const samples = Float32Array.from(pixels.slice(0, count * 3 * side * side))
    const tokens = BigInt64Array.from(ids.slice(0, count).flat(), BigInt)
    for (const [half, input, output, due] of [
      ['vision', { pixel_values: new Tensor('float32', samples, [count, 3, side, side]) }, 'image_embeds', gelu.images],
      ['text', { input_ids: new Tensor('int64', tokens, [count, 77]) }, 'text_embeds', gelu.texts],
    ] as const) {
      const session = await InferenceSession.create(join(modelOf('plain.pt'), 'onnx', `${half}_model.onnx`))
      const { dims, data } = (await session.run({ ...input }))[output]!
      const wanted = due.slice(0, count)
      expect(dims).toEqual([count, wanted[0]!.length])
      expect(largest([data as Float32Array], [wanted.flat()])).toBeLessThan(1e-5)
    }
  }
})

test.skipIf(!here)('the same checkpoint gives the same bytes', async () => {
  exported('again')
  for (const name of MODEL_FILES) {
    const [one, two] = await Promise.all(['plain.pt', 'again'].map((model) => readFile(join(modelOf(model), name))))
    expect(one!.equals(two!), name).toBe(true)
  }
})

test.skipIf(!here)('a scorer opens the folder that the tool tells to give to it', async () => {
  const model = modelOf('plain.pt')
  expect(exported('plain.pt')).toContain(`score --model ${model}`)
  const scorer = await openScorer({ name: 'own', model, cacheFolder: folder })
  onTestFinished(() => scorer.close())
  const picture = { width: 40, height: 30, channels: 3, background: '#3060a0' } as const
  const image = await sharp({ create: picture }).jpeg().toBuffer()
  const [park, river] = await scorer.score([
    { image, caption: 'a park' },
    { image, caption: 'a river' },
  ])
  expect(park).toBeTypeOf('number')
  expect(river).toBeTypeOf('number')
  expect(park).not.toBe(river)
})

test.skipIf(!here)('preprocessing is as told', async () => {
  exported('images')
  const file = join(modelOf('images'), 'preprocessor_config.json')
  expect(parsePreprocessing(await readFile(file, 'utf8'), file)).toEqual({
    resize: { kind: 'shortest', pixels: 30 },
    interpolation: 'bilinear',
    crop: { width: 30, height: 30 },
    rescale: 1 / 255,
    mean: [0, 0.25, 1],
    std: [1, 2, 3],
  })
})

test.skipIf(!here)('heads are 64 wide but in image towers of ViT-H and larger, unless told', () => {
  expect(exported('wide')).toMatch(/Images: .*heads 16;.*\nCaptions: .*heads 20;/)
  expect(exported('split')).toMatch(/Images: .*heads 20;.*\nCaptions: .*heads 10;/)
})

test.skipIf(!here)('a tokenizer made of a vocabulary file splits texts as one with the same merges does', async () => {
  exported('vocabulary')
  const made = await readFile(join(modelOf('vocabulary'), 'tokenizer.json'), 'utf8')
  const piecesOf = (json: string, caption: string) => {
    const ids = new BigInt64Array(77)
    const used = createTokenizer(json, 'tokenizer.json').encode(caption, ids)
    const names = new Map(Object.entries(JSON.parse(json).model.vocab).map(([piece, id]) => [id, piece]))
    return [...ids.subarray(0, used)].map((id) => names.get(Number(id)))
  }
  const known = await readFile(TOKENIZER, 'utf8')
  for (const caption of ['A park with 12 trees', "the town's café", '河流']) {
    expect(piecesOf(made, caption)).toEqual(piecesOf(known, caption))
  }
})

test.skipIf(!reference)("OpenCLIP's vocabulary gives the hub's tokenizer and OpenCLIP's token ids", async () => {
  expect(answer.tokenizer).toEqual(await readReference('tokenizer.json'))
  const tokenizer = createTokenizer(JSON.stringify(answer.tokenizer), 'tokenizer.json')
  const { captions, token_ids } = await readReference('expected.json')
  for (const [i, caption] of captions.entries()) {
    const ids = new BigInt64Array(77)
    tokenizer.encode(caption, ids)
    expect([...ids].map(Number), caption).toEqual(token_ids[i])
  }
})

test.skipIf(!here)('what is no plain CLIP, or not as told, is refused in one line and leaves no folder', () => {
  for (const [i, [checkpoint, , message]] of REFUSALS.entries()) {
    const { status, stderr, stdout } = answer.runs[`refused ${i}`]!
    expect(stderr, checkpoint).toContain(message)
    expect(stderr.trim()).not.toContain('\n')
    expect(status).toBe(1)
    expect(stdout).toBe('')
  }
  expect(existsSync(modelOf('refused'))).toBe(false)
  expect(existsSync(`${modelOf('refused')}.part`)).toBe(false)
})
