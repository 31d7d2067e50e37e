import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { lacks, sharedFile } from '../../../../test/support/needs.ts'
import { meanColourModel, tokenSumModel } from './onnx.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

/** The model that the repository ships. */
export const DEMO_MODEL = join(ROOT, 'examples', 'demo', 'model')

/** A small CLIP with random weights, and OpenCLIP's results for it; optional, outside the repository. */
export const REFERENCE = join(ROOT, '..', 'shared', 'reference', 'clip-tiny')

export const lacksReference = (): boolean => lacks(sharedFile('reference', 'clip-tiny', 'expected.json'))

/** A temporary folder, removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-filter-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export async function copyOfDemoModel(): Promise<string> {
  const folder = join(await temporaryFolder(), 'model')
  await cp(DEMO_MODEL, folder, { recursive: true })
  return folder
}

/** Writes files below a folder, creating the folders in between. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  return folder
}

/** Side of the small model's input in pixels, and number of tokens it reads. */
const SIDE = 8
export const TOKENS = 12

const TOKENIZER = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: { type: 'Lowercase' },
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '<s>', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '</s>', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] },
      '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] },
    },
  },
  decoder: null,
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: '<unk>',
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    vocab: { '<unk>': 0, '<s>': 1, '</s>': 2, a: 3, b: 4, c: 5, d: 6 },
    merges: [],
  },
}

const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 7 + 1))

/** All files of a tiny model, any of which a test may replace. */
export function smallModelFiles(): Record<string, Uint8Array | string> {
  return {
    'onnx/vision_model.onnx': meanColourModel({ shape: ['batch', 3, SIDE, SIDE], weights: numbers(3 * 4) }),
    'onnx/text_model.onnx': tokenSumModel({ tokens: TOKENS, weights: numbers(TOKENS * 4) }),
    'tokenizer.json': JSON.stringify(TOKENIZER),
    'preprocessor_config.json': JSON.stringify({
      size: { shortest_edge: SIDE },
      crop_size: { height: SIDE, width: SIDE },
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.25, 0.25, 0.25],
      resample: 3,
    }),
  }
}

export { numbers }
