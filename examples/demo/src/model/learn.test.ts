import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Dice } from '../town/dice.ts'
import { describePictures } from './features.ts'
import { featureCount } from './graphs.ts'
import { type Caption, learn } from './learn.ts'
import { type Matrix, matrix, multiply, multiplyByTransposed, multiplyTransposed } from './matrix.ts'
import { classOf, turned } from './pictures.ts'
import { learnWords, SIDE, WORD_KINDS } from './visual-words.ts'

const at = ({ columns, data }: Matrix, row: number, column: number) => data[row * columns + column]!

test('the matrix products are sums of products', () => {
  const size = fc.integer({ min: 1, max: 9 })
  fc.assert(
    fc.property(size, size, size, fc.integer(), (rows, inner, columns, seed) => {
      const dice = new Dice(Math.abs(seed), 'matrix')
      const random = (r: number, c: number) =>
        matrix(
          r,
          c,
          Float32Array.from({ length: r * c }, () => dice.index(9) - 4),
        )
      const [a, b, tall, wide] = [
        random(rows, inner),
        random(inner, columns),
        random(inner, rows),
        random(columns, inner),
      ]
      const [plain, first, second] = [multiply(a, b), multiplyTransposed(tall, b), multiplyByTransposed(a, wide)]
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          const sum = (term: (k: number) => number) =>
            Array.from({ length: inner }, (_, k) => term(k)).reduce((s, v) => s + v, 0)
          expect(at(plain, i, j)).toBe(sum((k) => at(a, i, k) * at(b, k, j)))
          expect(at(first, i, j)).toBe(sum((k) => at(tall, k, i) * at(b, k, j)))
          expect(at(second, i, j)).toBe(sum((k) => at(a, i, k) * at(wide, j, k)))
        }
      }
    }),
  )
})

/** Stripes of a colour, some pixels wide. */
function stripes(dice: Dice, channel: number, width: number): Float32Array {
  return Float32Array.from({ length: 3 * SIDE * SIDE }, (_, index) => {
    const own = Math.floor(index / SIDE ** 2) === channel && Math.floor((index % SIDE) / width) % 2 === 0
    return (own ? 1.5 : 0) + dice.between(-0.3, 0.3)
  })
}

test('pictures that differ in colour or in texture are told apart after training, the same way each time', async () => {
  const dice = new Dice(3, 'stripes')
  const kinds = [0, 1].flatMap((channel) => [2, 14].map((width) => ({ channel, width })))
  const draw = () => kinds.map(({ channel, width }) => stripes(dice, channel, width))
  const pictures = [...draw(), ...draw(), ...draw()]
  const words = WORD_KINDS.map((kind) => learnWords({ ...kind, count: 6 }, pictures, new Dice(4, kind.name)))
  async function* all() {
    yield* [...pictures, ...draw()]
  }
  const described = await describePictures(words, all())
  expect(described[0]!.length).toBe(featureCount(words))
  const captions = kinds.map((_, index): Caption => ({ tokens: [index, 4], className: String(index) }))
  const examples = pictures.map((_, index) => ({ features: described[index]!, caption: index % 4 }))
  const settings = { hidden: 16, outputs: 8, tokens: 6, steps: 150, batch: 12 }
  const run = () => learn(examples, captions, settings, new Dice(5, 'learn'), () => {})
  const { projection, text } = run()
  expect(run()).toEqual({ projection, text })
  expect([...text.vectors.slice(5 * 8)], 'a token that no caption has says nothing').toEqual(new Array(8).fill(0))

  for (const [index, features] of described.slice(pictures.length).entries()) {
    const hidden = multiply(
      matrix(1, projection.inputs, features.slice()),
      matrix(projection.inputs, 16, projection.w1.slice()),
    )
    const active = hidden.data.map((value, j) => Math.max(0, value + projection.b1[j]!))
    const image = multiply(matrix(1, 16, active), matrix(16, 8, projection.w2.slice())).data.map(
      (v, j) => v + projection.b2[j]!,
    )
    const likeness = captions.map(({ tokens }) => {
      const vector = [...text.bias].map((bias, j) =>
        tokens.reduce((sum, token) => sum + text.vectors[token * 8 + j]!, bias),
      )
      return vector.reduce((sum, value, j) => sum + value * image[j]!, 0) / Math.hypot(...vector)
    })
    expect(likeness.indexOf(Math.max(...likeness))).toBe(index)
  }
})

test('a picture turned in the eight ways keeps its pixels, each way another', () => {
  const picture = Float32Array.from({ length: 3 * SIDE * SIDE }, (_, index) => index)
  const ways = Array.from({ length: 8 }, (_, way) => turned(picture, way))
  expect(new Set(ways.map((way) => `${way[0]} ${way[1]}`)).size).toBe(8)
  for (const way of ways) expect(way.toSorted()).toEqual(picture)
})

test('the class of a title is its first phrase that names a thing', () => {
  expect(classOf('a satellite image of surface of gravel, road of track, tracktype is grade2')).toBe('road of track')
  expect(classOf('a satellite image of building of house, roof shape of gabled')).toBe('building of house')
  expect(classOf('a satellite image of leaf type is mixed')).toBe('leaf type is mixed')
  expect(classOf('a satellite image of surfaced area')).toBe('surfaced area')
})
