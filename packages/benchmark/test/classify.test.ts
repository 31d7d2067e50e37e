import { expect, test } from 'vitest'
import { bootstrapIntervals, type Interval } from '../src/bootstrap.ts'
import { type Accuracy, Classification, classVectors, PROMPTS } from '../src/index.ts'
import { cosine, cosinesWith } from '../src/vectors.ts'
import { unitVectors } from './vectors.ts'

const CLASSES = ['quarry', 'beach', 'forest', 'lake', 'stadium', 'dam', 'tower']
const LENGTH = 16

const measure = (
  classes: readonly string[],
  vectors: readonly Float32Array[],
  images: readonly (readonly [Float32Array, string])[],
): Accuracy => {
  const counting = new Classification(classes, vectors)
  for (const [image, name] of images) counting.add(image, classes.indexOf(name))
  return counting.accuracy()
}

const byName = ({ classes, ...rest }: Accuracy) => ({
  ...rest,
  classes: classes.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
})

test('top-1 and top-5 are those of sorted cosines, and neither the order of classes nor that of rows matters', () => {
  const vectors = unitVectors(1, CLASSES.length, LENGTH)
  const images = unitVectors(2, 200, LENGTH).map((image, i) => [image, CLASSES[(i * i) % 7]!] as const)
  const accuracy = measure(CLASSES, vectors, images)
  const ranks = images.map(([image, name]) => {
    const cosines = vectors.map((vector) => vector.reduce((sum, value, i) => sum + value * image[i]!, 0))
    const order = cosines.map((_, i) => i).sort((a, b) => cosines[b]! - cosines[a]!)
    return order.indexOf(CLASSES.indexOf(name))
  })
  const [correct1, correct5] = [1, 5].map((k) => ranks.filter((rank) => rank < k).length)
  expect(accuracy).toMatchObject({ n: 200, correct1, correct5, top1: correct1! / 200, top5: correct5! / 200 })
  expect(correct1).toBeGreaterThan(10)
  const order = [3, 0, 6, 2, 5, 1, 4]
  const permuted = measure(
    order.map((i) => CLASSES[i]!),
    order.map((i) => vectors[i]!),
    images.toReversed(),
  )
  expect(byName(permuted)).toEqual(byName(accuracy))
})

test('cosines with all classes at once are those with each, to the last bit', () => {
  for (const count of [1, 4, 5, 7]) {
    const vectors = unitVectors(7, count, 33)
    const [image] = unitVectors(8, 1, 33)
    expect([...cosinesWith(vectors)(image!)]).toEqual(vectors.map((vector) => cosine(image!, vector)))
  }
})

test('equal embeddings score chance, wherever a class is in the list', () => {
  const [same] = unitVectors(3, 1, LENGTH)
  const images = unitVectors(4, 30, LENGTH).map((image) => [image, 'quarry'] as const)
  const vectors = CLASSES.map(() => same!)
  const { top1, top5, classes } = measure(CLASSES, vectors, images)
  expect([top1, top5]).toEqual([expect.closeTo(1 / 7, 12), expect.closeTo(5 / 7, 12)])
  expect(classes[0]).toEqual({ name: 'quarry', n: 30, correct1: expect.closeTo(30 / 7, 12) })
})

test("a class's vector is the direction of the mean of its prompts' unit vectors", async () => {
  const asked: string[] = []
  const embedText = async (text: string) => {
    asked.push(text)
    return text.endsWith('.') ? Float32Array.of(1, 0) : Float32Array.of(0, 1)
  }
  const [vector] = await classVectors(['roof shape of $& flat'], PROMPTS.roof_shape!, { embedText, textsAtOnce: 1 })
  expect(asked).toEqual([
    'a satellite photo of building, roof shape of $& flat.',
    'a satellite image of building, roof shape of $& flat',
  ])
  expect([...vector!]).toEqual([Math.fround(Math.SQRT1_2), Math.fround(Math.SQRT1_2)])
})

test('the confusion matrix has a row for each class, and its diagonal and sums are those of the accuracy', () => {
  const vectors = unitVectors(5, CLASSES.length, LENGTH)
  const counting = new Classification(CLASSES, [vectors[1]!, ...vectors.slice(1)])
  for (const [i, image] of unitVectors(6, 70, LENGTH).entries()) counting.add(image, (i * i) % 7)
  const { confusion } = counting
  const { classes } = counting.accuracy()
  expect(confusion.map((row, i) => row[i])).toEqual(classes.map(({ correct1 }) => correct1))
  for (const [i, row] of confusion.entries())
    expect(row.reduce((sum, each) => sum + each, 0)).toBeCloseTo(classes[i]!.n, 9)
  // The first two classes have the same vector, so an image is taken for both by half.
  for (const row of confusion) expect(row[0]).toBe(row[1])
})

test('intervals hold the mean, narrow with more images, and are the same in any order of images', async () => {
  const hits = (n: number) => Array.from({ length: n }, (_, i) => (i % 10 < 3 ? 1 : 0))
  const [[low, high], others] = (await bootstrapIntervals([hits(100), hits(100).map((hit) => hit / 2)], 1000)) as [
    Interval,
    Interval,
  ]
  // 0.3 with a standard error of 0.0458: 1.96 of them are 0.09.
  expect([low, high]).toEqual([expect.closeTo(0.21, 1), expect.closeTo(0.39, 1)])
  expect(Math.abs(low - 0.21) + Math.abs(high - 0.39)).toBeLessThan(0.025)
  expect(others).toEqual([low / 2, high / 2])
  const [wide] = await bootstrapIntervals([hits(2000)], 1000)
  expect(wide![1] - wide![0]).toBeCloseTo((high - low) / Math.sqrt(20), 2)
  expect(await bootstrapIntervals([hits(100).toReversed()], 1000)).toEqual([[low, high]])
})
