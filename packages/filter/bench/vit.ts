import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Graph, type Node, onnxModel } from '../test/support/onnx.ts'

/** Dimensions of one half of a CLIP. */
interface Tower {
  readonly width: number
  readonly layers: number
  /** Each is 64 wide. */
  readonly heads: number
  readonly embed: number
}

/** OpenAI's ViT-B/32 (Radford et al. 2021, table 20): 50 tokens of 32 x 32 pixels, and captions of 77 tokens. */
const VISION: Tower = { width: 768, layers: 12, heads: 12, embed: 512 }
const TEXT: Tower = { width: 512, layers: 12, heads: 8, embed: 512 }
const [PATCH, SIDE, CONTEXT, VOCABULARY] = [32, 224, 77, 49_408]

/** Collects nodes and weights; weights are random, which costs the same as trained ones. */
class Builder {
  readonly nodes: Node[] = []
  readonly weights: Graph['weights'][number][] = []
  #names = 0
  #state = 1

  add(op: string, inputs: readonly string[], attributes: Node['attributes'] = {}): string {
    const output = `t${this.#names++}`
    this.nodes.push({ op, inputs, outputs: [output], attributes })
    return output
  }

  weight(shape: readonly number[], scale: number, around = 0): string {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
    for (let i = 0; i < data.length; i++) {
      this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
      data[i] = around + scale * (this.#state / 2 ** 31 - 1)
    }
    return this.constant(shape, data)
  }

  constant(shape: readonly number[], data: Float32Array | BigInt64Array): string {
    const name = `w${this.#names++}`
    this.weights.push({ name, shape, data })
    return name
  }

  linear(x: string, from: number, to: number): string {
    const product = this.add('MatMul', [x, this.weight([from, to], 1 / Math.sqrt(from))])
    return this.add('Add', [product, this.weight([to], 0.01)])
  }

  norm(x: string, width: number): string {
    return this.add('LayerNormalization', [x, this.weight([width], 0.1, 1), this.weight([width], 0.01)])
  }

  block(x: string, { width, heads }: Tower, mask: string | null): string {
    const shape = this.constant([4], BigInt64Array.of(0n, 0n, BigInt(heads), 64n))
    const normed = this.norm(x, width)
    const split = (perm: readonly number[]) =>
      this.add('Transpose', [this.add('Reshape', [this.linear(normed, width, width), shape])], { perm })
    const product = this.add('MatMul', [split([0, 2, 1, 3]), split([0, 2, 3, 1])])
    const scaled = this.add('Mul', [product, this.constant([], Float32Array.of(1 / 8))])
    const weights = this.add('Softmax', [mask === null ? scaled : this.add('Add', [scaled, mask])], { axis: 3 })
    const mixed = this.add('Transpose', [this.add('MatMul', [weights, split([0, 2, 1, 3])])], { perm: [0, 2, 1, 3] })
    const joined = this.add('Reshape', [mixed, this.constant([3], BigInt64Array.of(0n, 0n, BigInt(width)))])
    const attended = this.add('Add', [x, this.linear(joined, width, width)])
    const hidden = this.linear(this.norm(attended, width), width, 4 * width)
    const gate = this.add('Sigmoid', [this.add('Mul', [hidden, this.constant([], Float32Array.of(1.702))])])
    return this.add('Add', [attended, this.linear(this.add('Mul', [hidden, gate]), 4 * width, width)])
  }

  /** The embedding of one token per row. */
  finish(x: string, { width, embed }: Tower, token: number, output: string): void {
    const one = this.add('Gather', [x, this.constant([], BigInt64Array.of(BigInt(token)))], { axis: 1 })
    const projection = this.weight([width, embed], 1 / Math.sqrt(width))
    this.nodes.push({ op: 'MatMul', inputs: [this.norm(one, width), projection], outputs: [output] })
  }
}

export function visionModel(): Buffer {
  const b = new Builder()
  const { width, layers, embed } = VISION
  const tokens = (SIDE / PATCH) ** 2
  const patches = b.add('Conv', ['pixel_values', b.weight([width, 3, PATCH, PATCH], 0.02)], { strides: [PATCH, PATCH] })
  const flat = b.add('Reshape', [patches, b.constant([3], BigInt64Array.of(0n, BigInt(width), -1n))])
  const rows = b.add('Transpose', [flat], { perm: [0, 2, 1] })
  // The class token is one more row, made from the first.
  const first = b.add('Gather', [rows, b.constant([1], BigInt64Array.of(0n))], { axis: 1 })
  let x = b.add('Concat', [first, rows], { axis: 1 })
  x = b.norm(b.add('Add', [x, b.weight([tokens + 1, width], 0.1)]), width)
  for (let i = 0; i < layers; i++) x = b.block(x, VISION, null)
  b.finish(x, VISION, 0, 'image_embeds')
  return onnxModel({
    ...b,
    inputs: [{ name: 'pixel_values', type: 'float', shape: ['batch', 3, SIDE, SIDE] }],
    outputs: [{ name: 'image_embeds', type: 'float', shape: ['batch', embed] }],
    opset: 17,
  })
}

export function textModel(): Buffer {
  const b = new Builder()
  const { width, layers, embed } = TEXT
  const mask = Float32Array.from({ length: CONTEXT * CONTEXT }, (_, i) =>
    i % CONTEXT > Math.floor(i / CONTEXT) ? -1e9 : 0,
  )
  const later = b.constant([CONTEXT, CONTEXT], mask)
  let x = b.add('Gather', [b.weight([VOCABULARY, width], 0.02), 'input_ids'], { axis: 0 })
  x = b.add('Add', [x, b.weight([CONTEXT, width], 0.01)])
  for (let i = 0; i < layers; i++) x = b.block(x, TEXT, later)
  b.finish(x, TEXT, CONTEXT - 1, 'text_embeds')
  return onnxModel({
    ...b,
    inputs: [{ name: 'input_ids', type: 'int64', shape: ['batch', CONTEXT] }],
    outputs: [{ name: 'text_embeds', type: 'float', shape: ['batch', embed] }],
    opset: 17,
  })
}

/** OpenCLIP's preprocessing for a model of this size. */
export const PREPROCESSING = {
  do_center_crop: true,
  do_normalize: true,
  do_resize: true,
  crop_size: { height: SIDE, width: SIDE },
  size: { shortest_edge: SIDE },
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
  resample: 3,
}

/** Writes a model folder of the size of ViT-B/32, with the demo's tokenizer; returns the folder. */
export async function writeRandomModel(folder: string): Promise<string> {
  const tokenizer = fileURLToPath(new URL('../../../examples/demo/model/tokenizer.json', import.meta.url))
  await mkdir(join(folder, 'onnx'), { recursive: true })
  await writeFile(join(folder, 'onnx', 'vision_model.onnx'), visionModel())
  await writeFile(join(folder, 'onnx', 'text_model.onnx'), textModel())
  await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(PREPROCESSING))
  await copyFile(tokenizer, join(folder, 'tokenizer.json'))
  return folder
}
