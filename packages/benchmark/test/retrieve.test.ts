import { expect, test } from 'vitest'
import { hitProbability } from '../src/expected-hits.ts'
import { cosine, type Retrieval, retrieve } from '../src/index.ts'
import { joined, unitVectors } from './vectors.ts'

type Pairs = readonly (readonly [number, number])[]
const RANKS = [1, 5, 10, 100]

/** Recalls from all cosines, sorted: slow and plain. */
function plainly(images: readonly Float32Array[], texts: readonly Float32Array[], pairs: Pairs): Retrieval {
  const all = images.map((image) => texts.map((text) => cosine(image, text)))
  const recalls = (rows: readonly (readonly number[])[], answersOf: ReadonlyMap<number, ReadonlySet<number>>) => {
    const standings = rows.map((cosines, i) => {
      const answers = [...answersOf.get(i)!].map((each) => cosines[each]!)
      const best = Math.max(...answers)
      return {
        above: cosines.filter((each) => each > best).length,
        equal: cosines.filter((each) => each === best).length,
        answers: answers.filter((each) => each === best).length,
      }
    })
    const recall = (k: number) =>
      standings.reduce((sum, standing) => sum + hitProbability(standing, k), 0) / rows.length
    return Object.fromEntries(RANKS.map((k) => [`R@${k}`, expect.closeTo(recall(k), 10)]))
  }
  const answers = (from: 0 | 1) =>
    new Map(
      Map.groupBy(pairs, (pair) => pair[from])
        .entries()
        .map(([query, own]) => [query, new Set(own.map((pair) => pair[from === 0 ? 1 : 0]))]),
    )
  return {
    images: images.length,
    texts: texts.length,
    image_to_text: recalls(all, answers(0)),
    text_to_image: recalls(
      texts.map((_, text) => all.map((row) => row[text]!)),
      answers(1),
    ),
  } as unknown as Retrieval
}

test('recalls over several blocks are those of all cosines sorted, with equal vectors in different blocks', async () => {
  // Few numbers in a vector, and a few hundred different ones: many equal cosines, wherever in a block.
  const some = unitVectors(7, 300, 5)
  // Others differ by so little that products in single precision can't tell them apart.
  const nudged = (vector: Float32Array, steps: number) => vector.map((value) => value * (1 + steps * 2 ** -23))
  const of = (i: number, vector: Float32Array) =>
    [some[(i * 7) % 300]!, nudged(some[(i * 7) % 300]!, (Math.floor(i / 300) % 5) - 2), vector][i % 3]!
  const images = unitVectors(5, 1100, 5).map((vector, i) => of(i, vector))
  const texts = unitVectors(6, 4200, 5).map((vector, i) => of(i, vector))
  const pairs: (readonly [number, number])[] = texts.map(
    (_, i) => [i % 2 === 0 ? i % 300 : (i * 13) % 1100, i] as const,
  )
  for (let i = 0; i < 1100; i++) pairs.push([i, (i * 31) % 4200])
  pairs.push(pairs[0]!, pairs[3]!)
  const found = await retrieve(joined(images), joined(texts), pairs)
  expect(found).toEqual(plainly(images, texts, pairs))
  expect(found.text_to_image['R@100']).toBeGreaterThan(found.text_to_image['R@5'])
})

test('a query is a hit if any of its captions is among the best, counted by hand', async () => {
  const at = (degrees: number) =>
    Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180))
  // The image at 0 has the texts at 60 and 20; the text at 10 is nearer and belongs to the image at 50.
  const found = await retrieve(joined([at(0), at(50)]), joined([at(60), at(20), at(10)]), [
    [0, 0],
    [0, 1],
    [1, 2],
  ])
  expect(found.image_to_text).toEqual({ 'R@1': 0, 'R@5': 1, 'R@10': 1, 'R@100': 1 })
  expect(found.text_to_image).toEqual({ 'R@1': 1 / 3, 'R@5': 1, 'R@10': 1, 'R@100': 1 })
})

test('equal embeddings score chance', async () => {
  const same = unitVectors(8, 1, 512)[0]!
  const all = joined(Array.from({ length: 200 }, () => same))
  const pairs = Array.from({ length: 200 }, (_, i) => [i, (i * 7) % 200] as const)
  const { image_to_text, text_to_image } = await retrieve(all, all, pairs)
  const chance = { 'R@1': 1 / 200, 'R@5': 5 / 200, 'R@10': 10 / 200, 'R@100': 100 / 200 }
  for (const recalls of [image_to_text, text_to_image])
    for (const [name, value] of Object.entries(chance))
      expect(recalls).toHaveProperty([name], expect.closeTo(value, 12))
})
