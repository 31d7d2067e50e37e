import type { Dice } from '../town/dice.ts'
import type { Projection, TokenVectors } from './graphs.ts'
import {
  addToRows,
  type Floats,
  type Matrix,
  matrix,
  multiply,
  multiplyByTransposed,
  multiplyTransposed,
  normalised,
  sumOfRows,
  throughNormalised,
} from './matrix.ts'

/** One picture's numbers with what it shows. */
export interface Example {
  readonly features: Float32Array
  /** Index of its caption. */
  readonly caption: number
}

export interface Caption {
  /** Token ids without start, end and padding. */
  readonly tokens: readonly number[]
  /** Its main phrase: captions of one class aren't wrong for each other's pictures. */
  readonly className: string
}

export interface LearnSettings {
  readonly hidden: number
  readonly outputs: number
  readonly tokens: number
  readonly steps: number
  readonly batch: number
}

/** Cosine similarities are this sharp in the softmax; CLIP's own is 100, too sharp for so few pairs. */
const SHARPNESS = 14
const RATE = 2e-3
const DECAY = 1e-2
const FEATURE_DROPOUT = 0.15
const HIDDEN_DROPOUT = 0.3
/** How much of the target goes to the other captions of the same class. */
const CLASS_SHARE = 0.3

/**
 * Learns to put each picture next to its caption: a two-layer projection of features and a vector per token, by
 * softmax over all captions (the contrastive loss of CLIP with every caption as a candidate), with Adam. Classes are drawn
 * about evenly (by the root of their size), so that rare things are learned too. The same examples and dice give the
 * same weights.
 *
 * @param report called now and then with the mean loss of the steps since
 */
export function learn(
  examples: readonly Example[],
  captions: readonly Caption[],
  settings: LearnSettings,
  dice: Dice,
  report: (step: number, loss: number) => void,
): { projection: Projection; text: TokenVectors } {
  const { hidden, outputs, tokens, steps, batch } = settings
  const { means, scales } = statistics(examples)
  const inputs = means.length
  const draw = makeDraw(examples, captions, dice)
  const sameClass = captions.map(({ className }) =>
    captions.flatMap((other, index) => (other.className === className ? [index] : [])),
  )
  const w1 = matrix(inputs, hidden, random(dice, inputs * hidden, Math.sqrt(2 / inputs)))
  const w2 = matrix(hidden, outputs, random(dice, hidden * outputs, Math.sqrt(1 / hidden)))
  const [b1, b2, bias] = [new Float32Array(hidden), new Float32Array(outputs), new Float32Array(outputs)]
  const vectors = matrix(tokens, outputs, random(dice, tokens * outputs, 0.3))
  const adam = new Adam()
  let loss = 0
  for (let step = 1; step <= steps; step++) {
    const chosen = Array.from({ length: batch }, draw)
    const x = matrix(batch, inputs)
    for (const [row, { features }] of chosen.entries()) {
      for (let j = 0; j < inputs; j++) {
        const kept = dice.next() >= FEATURE_DROPOUT
        x.data[row * inputs + j] = kept ? (features[j]! - means[j]!) * scales[j]! : 0
      }
    }
    const h = multiply(x, w1)
    addToRows(h, b1)
    const passed = new Float32Array(h.data.length)
    for (let at = 0; at < passed.length; at++) {
      if (h.data[at]! > 0 && dice.next() >= HIDDEN_DROPOUT) passed[at] = 1 / (1 - HIDDEN_DROPOUT)
      h.data[at]! *= passed[at]!
    }
    const e = multiply(h, w2)
    addToRows(e, b2)
    const image = normalised(e)
    const text = normalised(embedCaptions(captions, vectors, bias))
    const logits = multiplyByTransposed(image.unit, text.unit)
    const targets = chosen.map(({ caption }) => ({ caption, others: sameClass[caption]! }))
    loss += softmaxGradient(logits, targets)

    const dEmbed = throughNormalised(image.unit, image.lengths, multiply(logits, text.unit))
    const dText = throughNormalised(text.unit, text.lengths, multiplyTransposed(logits, image.unit))
    const dHidden = multiplyByTransposed(dEmbed, w2)
    for (let at = 0; at < passed.length; at++) dHidden.data[at]! *= passed[at]!
    const rate = RATE * Math.min(1, step / 100) * 0.5 * (1 + Math.cos((Math.PI * step) / steps))
    adam.begin(rate)
    adam.apply(w1.data, multiplyTransposed(x, dHidden).data, DECAY)
    adam.apply(b1, sumOfRows(dHidden), 0)
    adam.apply(w2.data, multiplyTransposed(h, dEmbed).data, DECAY)
    adam.apply(b2, sumOfRows(dEmbed), 0)
    adam.apply(vectors.data, spreadToTokens(captions, dText, tokens), DECAY)
    adam.apply(bias, sumOfRows(dText), 0)
    if (step % 100 === 0) {
      report(step, loss / 100)
      loss = 0
    }
  }
  return {
    projection: foldStatistics({ inputs, hidden, outputs, w1: w1.data, b1, w2: w2.data, b2 }, means, scales),
    text: { tokens, outputs, vectors: withoutUnseen(captions, vectors), bias },
  }
}

/** Mean of each feature, and 1 / standard deviation. */
function statistics(examples: readonly Example[]): { means: Float32Array; scales: Float32Array } {
  const size = examples[0]!.features.length
  const [sums, squares] = [new Float64Array(size), new Float64Array(size)]
  for (const { features } of examples) {
    for (let j = 0; j < size; j++) {
      sums[j]! += features[j]!
      squares[j]! += features[j]! ** 2
    }
  }
  const means = Float32Array.from(sums, (sum) => sum / examples.length)
  const scales = Float32Array.from(squares, (square, j) => {
    const variance = Math.max(0, square / examples.length - means[j]! ** 2)
    return 1 / Math.sqrt(variance + 1e-4)
  })
  return { means, scales }
}

function makeDraw(examples: readonly Example[], captions: readonly Caption[], dice: Dice): () => Example {
  const byClass = Map.groupBy(examples, ({ caption }) => captions[caption]!.className)
  const groups = [...byClass.values()]
  const ends: number[] = []
  for (const group of groups) ends.push((ends.at(-1) ?? 0) + Math.sqrt(group.length))
  return () => {
    const at = dice.next() * ends.at(-1)!
    return dice.pick(groups[ends.findIndex((end) => at < end)]!)
  }
}

function random(dice: Dice, count: number, deviation: number): Floats {
  // The sum of three even draws from -1 to 1 has variance 1 and is near enough to normal.
  return Float32Array.from({ length: count }, () => deviation * (2 * (dice.next() + dice.next() + dice.next()) - 3))
}

function embedCaptions(captions: readonly Caption[], vectors: Matrix, bias: Float32Array): Matrix {
  const { columns } = vectors
  const out = matrix(captions.length, columns)
  for (const [row, { tokens }] of captions.entries()) {
    for (let j = 0; j < columns; j++) out.data[row * columns + j] = bias[j]!
    for (const token of tokens) {
      for (let j = 0; j < columns; j++) out.data[row * columns + j]! += vectors.data[token * columns + j]!
    }
  }
  return out
}

function spreadToTokens(captions: readonly Caption[], gradient: Matrix, tokens: number): Float32Array {
  const { columns } = gradient
  const out = new Float32Array(tokens * columns)
  for (const [row, caption] of captions.entries()) {
    for (const token of caption.tokens) {
      for (let j = 0; j < columns; j++) out[token * columns + j]! += gradient.data[row * columns + j]!
    }
  }
  return out
}

/** Turns cosines into their gradient in place; returns the mean cross entropy. */
function softmaxGradient(
  cosines: Matrix,
  targets: readonly { readonly caption: number; readonly others: readonly number[] }[],
): number {
  const { rows, columns, data } = cosines
  let loss = 0
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * columns, (i + 1) * columns)
    let highest = -Infinity
    for (const cosine of row) highest = Math.max(highest, cosine)
    let sum = 0
    for (const cosine of row) sum += Math.exp(SHARPNESS * (cosine - highest))
    const { caption, others } = targets[i]!
    const logOf = (index: number) => SHARPNESS * (row[index]! - highest) - Math.log(sum)
    loss -= (1 - CLASS_SHARE) * logOf(caption)
    for (const other of others) loss -= (CLASS_SHARE / others.length) * logOf(other)
    for (let j = 0; j < columns; j++) row[j] = Math.exp(SHARPNESS * (row[j]! - highest)) / sum
    row[caption]! -= 1 - CLASS_SHARE
    for (const other of others) row[other]! -= CLASS_SHARE / others.length
    for (let j = 0; j < columns; j++) row[j]! *= SHARPNESS / rows
  }
  return loss / rows
}

/** The same projection for features as they are, instead of shifted and scaled ones. */
function foldStatistics(projection: Projection, means: Float32Array, scales: Float32Array): Projection {
  const { inputs, hidden } = projection
  const [w1, b1] = [projection.w1.slice(), projection.b1.slice()]
  for (let i = 0; i < inputs; i++) {
    // Dropout left each feature out of some steps; when all are there they add up to more.
    const scale = scales[i]! * (1 - FEATURE_DROPOUT)
    for (let j = 0; j < hidden; j++) {
      w1[i * hidden + j]! *= scale
      b1[j]! -= means[i]! * w1[i * hidden + j]!
    }
  }
  return { ...projection, w1, b1 }
}

/** Tokens that no caption has keep no random vector: they say nothing. */
function withoutUnseen(captions: readonly Caption[], { rows, columns, data }: Matrix): Float32Array {
  const seen = new Set(captions.flatMap(({ tokens }) => tokens))
  const out = data.slice()
  for (let token = 0; token < rows; token++) if (!seen.has(token)) out.fill(0, token * columns, (token + 1) * columns)
  return out
}

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019). */
class Adam {
  readonly #moments = new Map<Float32Array, { first: Float32Array; second: Float32Array }>()
  #step = 0
  #rate = 0

  begin(rate: number): void {
    this.#step++
    this.#rate = rate
  }

  apply(weights: Float32Array, gradient: Float32Array, decay: number): void {
    let moments = this.#moments.get(weights)
    if (!moments) {
      moments = { first: new Float32Array(weights.length), second: new Float32Array(weights.length) }
      this.#moments.set(weights, moments)
    }
    const { first, second } = moments
    const [firstScale, secondScale] = [1 / (1 - 0.9 ** this.#step), 1 / (1 - 0.99 ** this.#step)]
    for (let at = 0; at < weights.length; at++) {
      const slope = gradient[at]!
      first[at] = 0.9 * first[at]! + 0.1 * slope
      second[at] = 0.99 * second[at]! + 0.01 * slope * slope
      const move = (first[at]! * firstScale) / (Math.sqrt(second[at]! * secondScale) + 1e-8)
      weights[at]! -= this.#rate * (move + decay * weights[at]!)
    }
  }
}
