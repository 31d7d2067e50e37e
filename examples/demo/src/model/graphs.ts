import { OnnxGraph, type Value } from '../onnx-writer.ts'
import { GRID, SIDE, type WordSet } from './visual-words.ts'

/** y = relu(x W1 + b1) W2 + b2; matrices in row-major order, inputs by rows. */
export interface Projection {
  readonly inputs: number
  readonly hidden: number
  readonly outputs: number
  readonly w1: Float32Array
  readonly b1: Float32Array
  readonly w2: Float32Array
  readonly b2: Float32Array
}

/** One vector for each token, row-major; a caption is the sum of its tokens' vectors plus the bias. */
export interface TokenVectors {
  readonly tokens: number
  readonly outputs: number
  readonly vectors: Float32Array
  readonly bias: Float32Array
}

/** Tokens of a caption, as in CLIP. */
export const CONTEXT = 77

/** Side of the tiny copy of the picture that says what is where. */
const THUMBNAIL = 8
/** Where words are counted: near the middle, away from it, everywhere. */
const ZONES = 3

/** Numbers that describe a picture before anything is learned from captions. */
export function featureCount(sets: readonly WordSet[]): number {
  return sets.reduce((sum, { centres }) => sum + centres.length * (ZONES + 1), 0) + 3 * THUMBNAIL ** 2
}

/** A graph from `pixel_values` to `features` [batch, featureCount]. */
export function featureModel(sets: readonly WordSet[]): Uint8Array {
  const graph = new OnnxGraph('features')
  graph.output(describe(graph, sets), 'features', ['batch', featureCount(sets)])
  return graph.finish()
}

/** CLIP's vision model: `pixel_values` [batch, 3, 224, 224] -> `image_embeds` [batch, outputs], not normalised. */
export function visionModel(sets: readonly WordSet[], projection: Projection): Uint8Array {
  const { inputs, hidden, outputs, w1, b1, w2, b2 } = projection
  const graph = new OnnxGraph('vision')
  const features = describe(graph, sets)
  const first = graph.node('Gemm', [features, graph.constant(w1, [inputs, hidden]), graph.constant(b1, [hidden])])
  const second = graph.node('Gemm', [
    graph.node('Relu', [first]),
    graph.constant(w2, [hidden, outputs]),
    graph.constant(b2, [outputs]),
  ])
  graph.output(second, 'image_embeds', ['batch', outputs])
  return graph.finish()
}

/** CLIP's text model: `input_ids` [batch, sequence] -> `text_embeds` [batch, outputs], not normalised. */
export function textModel({ tokens, outputs, vectors, bias }: TokenVectors): Uint8Array {
  const graph = new OnnxGraph('text')
  const ids = graph.input('input_ids', 'int64', ['batch', 'sequence'])
  const looked = graph.node('Gather', [graph.constant(vectors, [tokens, outputs]), ids])
  const sum = graph.node('ReduceSum', [looked, graph.integers([1])], { keepdims: 0 })
  graph.output(graph.node('Add', [sum, graph.constant(bias, [outputs])]), 'text_embeds', ['batch', outputs])
  return graph.finish()
}

function describe(graph: OnnxGraph, sets: readonly WordSet[]): Value {
  const pixels = graph.input('pixel_values', 'float', ['batch', 3, SIDE, SIDE])
  const zones = graph.constant(zoneWeights(), [ZONES, GRID * GRID])
  const counts = sets.flatMap((set) => countWords(graph, pixels, set, zones))
  const square = SIDE / THUMBNAIL
  const thumbnail = graph.node('AveragePool', [pixels], { kernel_shape: [square, square], strides: [square, square] })
  return graph.node('Concat', [...counts, graph.node('Flatten', [thumbnail])], { axis: 1 })
}

/**
 * Shares of each word by zone, and each word's highest share in any cell; square roots, so that rare words count.
 * |patch - centre|^2 = |patch|^2 - 2 patch.centre + |centre|^2, of which softmax over the words drops the first term:
 * so soft assignment to the nearest word is one convolution and one softmax.
 */
function countWords(graph: OnnxGraph, pixels: Value, { kind, centres, sharpness }: WordSet, zones: Value): Value[] {
  const { shrink, patch, stride, pad, cell } = kind
  const picture =
    shrink === 1
      ? pixels
      : graph.node('AveragePool', [pixels], { kernel_shape: [shrink, shrink], strides: [shrink, shrink] })
  const weights = Float32Array.from(centres.flatMap((centre) => [...centre].map((value) => 2 * sharpness * value)))
  const bias = centres.map((centre) => -sharpness * centre.reduce((sum, value) => sum + value * value, 0))
  const likeness = graph.node(
    'Conv',
    [picture, graph.constant(weights, [centres.length, 3, patch, patch]), graph.constant(bias, [centres.length])],
    { kernel_shape: [patch, patch], strides: [stride, stride], pads: [pad[0], pad[0], pad[1], pad[1]] },
  )
  // Words last: a softmax over neighbours in memory takes a fifth of the time.
  const shares = graph.node('Softmax', [graph.node('Transpose', [likeness], { perm: [0, 2, 3, 1] })], { axis: 3 })
  const split = graph.node('Reshape', [shares, graph.integers([0, GRID, cell, GRID, cell * centres.length])])
  const across = graph.node('ReduceMean', [split], { axes: [2], keepdims: 0 })
  const squares = graph.node('Reshape', [across, graph.integers([0, GRID * GRID, cell, centres.length])])
  const cells = graph.node('ReduceMean', [squares], { axes: [2], keepdims: 0 })
  const byZone = graph.node('Flatten', [graph.node('MatMul', [zones, cells])])
  const highest = graph.node('ReduceMax', [cells], { axes: [1], keepdims: 0 })
  return [byZone, highest].map((value) => graph.node('Sqrt', [value]))
}

/** One row for each zone, adding up to 1. */
function zoneWeights(): Float32Array {
  const cells = GRID * GRID
  const weights = new Float32Array(ZONES * cells)
  const sums = new Array<number>(ZONES).fill(0)
  for (let row = 0; row < GRID; row++) {
    for (let column = 0; column < GRID; column++) {
      const distance = Math.hypot(row - (GRID - 1) / 2, column - (GRID - 1) / 2)
      const near = Math.exp(-((distance / 3) ** 2))
      for (const [zone, weight] of [near, 1 - Math.exp(-((distance / 5) ** 4)), 1].entries()) {
        weights[zone * cells + row * GRID + column] = weight
        sums[zone]! += weight
      }
    }
  }
  return weights.map((weight, index) => weight / sums[Math.floor(index / cells)]!)
}
