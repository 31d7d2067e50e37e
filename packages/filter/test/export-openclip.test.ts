// @module-tag slow
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
import { lacks } from '../../../test/support/needs.ts'
import { normalised, openClipModel } from '../src/clip/clip-model.ts'
import { parsePreprocessing } from '../src/clip/preprocessor-config.ts'
import { createTokenizer } from '../src/clip/tokens.ts'
import { MODEL_FILES } from '../src/model/model-folder.ts'
import { DEMO_MODEL, lacksReference, REFERENCE } from './support/models.ts'

const TOOL = fileURLToPath(new URL('../../../tools/export-openclip.py', import.meta.url))
const RUNNER = fileURLToPath(new URL('./support/run_exports.py', import.meta.url))

/** A small tokenizer of CLIP's kind. */
const TOKENIZER = join(DEMO_MODEL, 'tokenizer.json')

/** A Python with PyTorch; the system's own may have it even if the first one on the path doesn't. */
const FIND = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
/** `npm run test:readers` sets one that must have it. */
const named = process.env.READERS_TORCH_PYTHON
const python = (named === undefined ? ['python3', '/usr/bin/python3'] : [named]).find(
  (each) => spawnSync(each, ['-c', FIND], { stdio: 'ignore' }).status === 0,
)
if (named !== undefined && python === undefined) throw new Error(`${named} has no PyTorch.`)
const lacksTorch = lacks({
  name: 'a python3 with PyTorch',
  isThere: () => python !== undefined,
  advice: 'install it (Debian: apt-get install python3-torch)',
})
const hasReference = !lacksReference() && !lacksTorch

/** Options that no checkpoint contains, for the test's model. */
const HEADS = ['--vision-heads', '2', '--text-heads', '1']
const GELU = [...HEADS, '--gelu']

/** File names that start with `./` are relative to the test's folder. */
const KINDS = [
  ['a state dict', 'plain.pt', GELU, 'gelu'],
  ["a training checkpoint with its optimizer's state and its processes' prefix", 'training.pt', GELU, 'gelu'],
  ['the same in the format before PyTorch 1.6', 'old-format.pt', GELU, 'gelu'],
  ['a training run whose params.txt gives the activation', 'run/checkpoints/epoch_3.pt', HEADS, 'gelu'],
  ['a training run whose name says quickgelu', 'quick-run.pt', HEADS, 'quick-floats'],
  ["a config of OpenCLIP's", 'linear.pt', ['--config', './config.json'], 'gelu'],
  ['safetensors', 'weights.safetensors', GELU, 'gelu'],
  ['16-bit weights of QuickGELU', 'half.pt', ['--config', './quick-config.json'], 'quick'],
  ["an archive like OpenAI's, which implies QuickGELU", 'archive.pt', [], 'quick'],
] as const

const OTHER_IMAGES = [
  ...['--mean', '0', '0.25', '1', '--std', '1', '2', '3'],
  ...['--interpolation', 'bilinear', '--image-size', '30'],
]

const REFUSALS = [
  ['resnet.pt', GELU, 'a ResNet for images'],
  ['timm.pt', GELU, 'comes from timm'],
  ['coca.pt', GELU, 'is of a CoCa'],
  ['attention-pool.pt', GELU, 'pools images by attention'],
  ['layer-scale.pt', GELU, 'layer scale'],
  ['language-model.pt', GELU, 'another language model'],
  ['transformers.pt', GELU, 'the transformers library'],
  ['unknown-layer.pt', GELU, 'also has transformer.resblocks.0.attn.ln_q.weight'],
  ['without-projection.pt', GELU, 'lacks visual.proj'],
  ['other-size.pt', GELU, 'size mismatch for ln_post.bias'],
  ['not-finite.pt', GELU, 'no finite numbers'],
  ['list.pt', GELU, 'no state dict'],
  ['cut.safetensors', GELU, "can't be read as safetensors"],
  ['expected.json', GELU, "can't be read as a checkpoint"],
  ['gone.pt', GELU, 'is not there'],
  // Neither known nor given.
  ['plain.pt', HEADS, /Which activation .* give its open_clip_config.json .*--quick-gelu .*or --gelu/],
  ['other-archive.pt', HEADS, /Which activation .* can't be seen/],
  ['plain.pt', ['--gelu'], /How many heads the tower of width 128 has can't be seen .*--vision-heads/],
  ['plain.pt', ['--gelu', '--vision-heads', '2'], /tower of width 64 .*--text-heads/],
  // Contradictions of what is known.
  [
    'plain.pt',
    ['--config', './config.json', '--quick-gelu'],
    /--quick-gelu says QuickGELU, but .*config.json says GELU/,
  ],
  ['plain.pt', ['--config', './quick-config.json', '--gelu'], /--gelu says GELU, but .*config.json says QuickGELU/],
  ['plain.pt', ['--config', './config.json', '--vision-heads', '4'], /says 4 heads in the image tower, but .* says 2/],
  ['plain.pt', ['--config', './narrow-config.json', ...HEADS], /says 2 heads in the image tower, but .* says 4/],
  ['run/checkpoints/epoch_3.pt', [...HEADS, '--quick-gelu'], /--quick-gelu says QuickGELU, but .*params.txt says GELU/],
  ['quick-run.pt', GELU, /--gelu says GELU, but the training run's name, .* says QuickGELU/],
  ['archive.pt', ['--gelu'], /--gelu says GELU, but OpenAI's format/],
  ['archive.pt', ['--text-heads', '2'], /says 2 heads in the text tower, but OpenAI's format/],
  // Configs of unsupported models.
  ['plain.pt', ['--config', './larger-config.json'], /of another model: its image width is 256, the checkpoint's 128/],
  ['plain.pt', ['--config', './average-config.json'], 'sets pool_type to avg'],
  ['plain.pt', ['--config', './squash-config.json'], 'resizes images by "squash"'],
  ['plain.pt', ['--config', './expected.json'], "can't be read as an open_clip_config.json"],
  ['plain.pt', [...GELU, '--tokenizer', './other-tokenizer.json'], 'take the tokenizer of this model'],
  ['plain.pt', [...GELU, '--tokenizer', './gone.json'], "can't be read as a tokenizer.json"],
  ['plain.pt', [...GELU, '--vocabulary', TOKENIZER], "can't be read as a bpe_simple_vocab_16e6.txt.gz"],
  ['plain.pt', ['--gelu', '--vision-heads', '3', '--text-heads', '1'], "can't be split into 3 heads"],
  ['plain.pt', [...GELU, '--image-size', '32'], "--image-size 32 doesn't fit"],
  ['plain.pt', [...GELU, '--output', './'], 'is there already'],
] as const

type Rows = readonly (readonly number[])[]
interface Expected {
  readonly pixels: readonly number[]
  readonly ids: Rows
  readonly side: number
  readonly gelu: { readonly images: Rows; readonly texts: Rows }
  readonly quick: { readonly images: Rows; readonly texts: Rows }
  readonly 'quick-floats': { readonly images: Rows; readonly texts: Rows }
}
interface Answer {
  readonly runs: Readonly<Record<string, { readonly status: number; readonly stdout: string; readonly stderr: string }>>
  readonly tokenizer: unknown
  /** For each published model: width and layers of both towers, then the heads of both. */
  readonly heads: Rows
}

let folder: string
let expected: Expected
let answer: Answer
beforeAll(async () => {
  if (python === undefined) return
  folder = await mkdtemp(join(tmpdir(), 'skyscript-openclip-'))
  await writeFile(join(folder, 'other-tokenizer.json'), JSON.stringify({ model: { vocab: { a: 0 } } }))
  const { model } = JSON.parse(await readFile(TOKENIZER, 'utf8'))
  const small = await vocabularyOf(model.merges, 'small.txt.gz')
  // The real file continues after the merges that are used.
  const whole = hasReference
    ? await vocabularyOf([...(await readReference('tokenizer.json')).model.merges, 'left out', 'too'], 'whole.txt.gz')
    : null

  const runs: Record<string, readonly string[]> = {}
  const add = (name: string, checkpoint: string, options: readonly string[], output = modelOf(name)) => {
    const told = options.includes('--vocabulary') || options.includes('--tokenizer')
    const words = told ? [] : ['--tokenizer', TOKENIZER]
    const placed = options.map((option) => (option.startsWith('./') ? join(folder, option) : option))
    // The last of two --output options wins.
    runs[name] = [join(folder, checkpoint), '--output', output, ...words, ...placed]
  }
  for (const [, checkpoint, options] of KINDS) add(checkpoint, checkpoint, options)
  add('again', 'plain.pt', GELU)
  add('images', 'plain.pt', [...GELU, ...OTHER_IMAGES])
  add('config images', 'plain.pt', ['--config', './config.json'])
  add('split', 'wide.pt', ['--gelu', '--vision-heads', '20', '--text-heads', '10'])
  add('vocabulary', 'plain.pt', [...GELU, '--vocabulary', small])
  for (const [i, [checkpoint, options]] of REFUSALS.entries())
    add(`refused ${i}`, checkpoint, options, modelOf('refused'))

  const tokens = String(Object.keys(model.vocab).length)
  const args = ['-B', RUNNER, TOOL, folder, tokens, JSON.stringify({ runs, vocabulary: whole })]
  // Without -B, Python would leave compiled files next to the sources.
  const { status, stdout, stderr } = spawnSync(python, args, { encoding: 'utf8', maxBuffer: 1 << 26 })
  expect(status, stderr).toBe(0)
  answer = JSON.parse(stdout) as Answer
  expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as Expected
})

afterAll(async () => {
  if (python !== undefined) await rm(folder, { recursive: true })
})

const modelOf = (name: string) => join(folder, `${name.replaceAll('/', '-')}-model`)
const readReference = async (name: string) => JSON.parse(await readFile(join(REFERENCE, name), 'utf8'))

/** A vocabulary file like OpenCLIP's, from a tokenizer's merges. */
async function vocabularyOf(merges: readonly string[], name: string): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, gzipSync(['"bpe_simple_vocab_16e6.txt#version: 0.2', ...merges].join('\n')))
  return file
}

/** The tool's output for an export. */
function exported(name: string): string {
  const { status, stdout, stderr } = answer.runs[name]!
  expect(status, stderr).toBe(0)
  expect(stderr).toBe('')
  return stdout
}

/** The largest absolute difference of corresponding numbers. */
const largest = (a: readonly Float32Array[], b: Rows) =>
  Math.max(...a.flatMap((row, i) => Array.from(row, (value, j) => Math.abs(value - b[i]![j]!))))
const unit = (rows: Rows) => rows.map((row) => [...normalised(Float32Array.from(row))])

test.skipIf(lacksTorch)('for every kind of checkpoint, onnxruntime gives the same embeddings as PyTorch', async () => {
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
    const other = kind === 'gelu' ? expected['quick-floats'] : expected.gelu
    expect(largest(images, unit(other.images)), what).toBeGreaterThan(1e-4)
    expect(largest(texts, unit(other.texts)), what).toBeGreaterThan(1e-4)
  }
})

test.skipIf(lacksTorch)('both halves accept any number of rows and return unnormalised embeddings', async () => {
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

test.skipIf(lacksTorch)('the same checkpoint gives the same bytes', async () => {
  exported('again')
  for (const name of MODEL_FILES) {
    const [one, two] = await Promise.all(['plain.pt', 'again'].map((model) => readFile(join(modelOf(model), name))))
    expect(one!.equals(two!), name).toBe(true)
  }
})

test.skipIf(lacksTorch)('a scorer opens the folder that the tool says to give it', async () => {
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

test.skipIf(lacksTorch)("preprocessing follows the options, else OpenCLIP's config", async () => {
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
  expect(exported('config images')).toMatch(/Activation: {2}GELU, by .*config\.json\n/)
  const config = join(modelOf('config images'), 'preprocessor_config.json')
  expect(parsePreprocessing(await readFile(config, 'utf8'), config)).toMatchObject({
    interpolation: 'bilinear',
    crop: { width: 24, height: 24 },
    ...{ mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
  })
})

test.skipIf(lacksTorch)('attention heads follow the options, else OpenCLIP’s published sizes', () => {
  expect(exported('split')).toMatch(/Images: .*heads 20;.*\nCaptions: .*heads 10;/)
  const of = (width: number, text: number) => answer.heads.find((row) => row[0] === width && row[2] === text)?.slice(4)
  expect(of(768, 512)).toEqual([12, 8])
  expect(of(1024, 768)).toEqual([16, 12])
  expect(of(1280, 1024)).toEqual([16, 16])
  expect(of(1664, 1280)).toEqual([16, 20])
})

test.skipIf(lacksTorch)('reading a checkpoint runs no code from its pickle', () => {
  exported('training.pt')
  expect(existsSync(join(folder, 'was-run'))).toBe(false)
})

test.skipIf(lacksTorch)(
  'a tokenizer built from a vocabulary file splits texts like one with the same merges',
  async () => {
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
  },
)

test.skipIf(!hasReference)(
  "OpenCLIP's vocabulary gives the same tokenizer as the hub's, and OpenCLIP's token ids",
  async () => {
    expect(answer.tokenizer).toEqual(await readReference('tokenizer.json'))
    const tokenizer = createTokenizer(JSON.stringify(answer.tokenizer), 'tokenizer.json')
    const { captions, token_ids } = await readReference('expected.json')
    for (const [i, caption] of captions.entries()) {
      const ids = new BigInt64Array(77)
      tokenizer.encode(caption, ids)
      expect([...ids].map(Number), caption).toEqual(token_ids[i])
    }
  },
)

test.skipIf(lacksTorch)(
  'a checkpoint that is not a plain CLIP, or contradicts the options, is refused in one line and leaves no folder',
  () => {
    for (const [i, [checkpoint, , message]] of REFUSALS.entries()) {
      const { status, stderr, stdout } = answer.runs[`refused ${i}`]!
      if (typeof message === 'string') expect(stderr, checkpoint).toContain(message)
      else expect(stderr, checkpoint).toMatch(message)
      expect(stderr.trim(), checkpoint).not.toContain('\n')
      expect(status).toBe(1)
      expect(stdout).toBe('')
    }
    expect(existsSync(modelOf('refused'))).toBe(false)
    expect(existsSync(`${modelOf('refused')}.part`)).toBe(false)
  },
)
