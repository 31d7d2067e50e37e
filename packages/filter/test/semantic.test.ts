/** Images that look like those of better pairs: `filter.semanticDuplicates`. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createEmbeddings, type Embeddings, openEmbeddings } from '../src/semantic/embeddings-file.ts'
import { findSimilar } from '../src/semantic/find-similar.ts'
import { quantise, textOf } from '../src/semantic/quantise.ts'
import { assembled, folderStorage, pathOf, paths, rowOf } from './support/dataset.ts'
import { temporaryFolder } from './support/models.ts'

const LENGTH = 96

/** Repeatable numbers with a normal distribution. */
function normals(seed: number): () => number {
  let state = seed
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state + 0.5) / 2 ** 32
  }
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}

const unit = (vector: Float32Array) => {
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}

/** Embeddings of one kind of picture: cosines around 0.7, as CLIP gives them for aerial images. */
function pictures(count: number, normal: () => number): Float32Array[] {
  const random = () => unit(Float32Array.from({ length: LENGTH }, normal))
  const mean = random()
  return Array.from({ length: count }, () => {
    const own = random()
    return unit(mean.map((value, i) => Math.sqrt(0.7) * value + Math.sqrt(0.3) * own[i]!))
  })
}

/** A unit vector with this cosine to another. */
function turned(vector: Float32Array, cosine: number, normal: () => number): Float32Array {
  const other = Float32Array.from({ length: LENGTH }, normal)
  const along = other.reduce((sum, value, i) => sum + value * vector[i]!, 0)
  const across = unit(other.map((value, i) => value - along * vector[i]!))
  return unit(vector.map((value, i) => cosine * value + Math.sqrt(1 - cosine ** 2) * across[i]!))
}

async function stored(vectors: readonly Float32Array[]): Promise<Embeddings> {
  const storage = folderStorage(await temporaryFolder())
  const writer = createEmbeddings(storage)
  for (const vector of vectors) await writer.add(textOf(quantise(vector)))
  await writer.end()
  return openEmbeddings(storage, vectors.length)
}

const cosineOf = (a: Float32Array | Int8Array, b: Float32Array | Int8Array) => {
  const dot = (x: Float32Array | Int8Array, y: Float32Array | Int8Array) => {
    let sum = 0
    for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
    return sum
  }
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

test('a byte for each number changes cosines by less than 0.01', () => {
  const normal = normals(3)
  const list = pictures(60, normal)
  for (let i = 1; i < list.length; i++) {
    const [a, b] = [list[i - 1]!, list[i]!]
    expect(Math.abs(cosineOf(quantise(a), quantise(b)) - cosineOf(a, b))).toBeLessThan(0.01)
  }
  expect([...quantise(new Float32Array(4))]).toEqual([0, 0, 0, 0])
})

test('of planted duplicates more than 19 in 20 are found, and whatever is found resembles a better row', async () => {
  const normal = normals(7)
  const originals = pictures(3000, normal)
  const copies = Array.from({ length: 300 }, (_, i) => turned(originals[i * 7]!, 0.965 + (i % 30) / 1000, normal))
  const vectors = [...originals, ...copies]
  const embeddings = await stored(vectors)
  // The copies are better than their originals.
  const ranked = Uint32Array.from(vectors, (_, row) => vectors.length - 1 - row)
  const { like, cosines } = await findSimilar(embeddings, ranked, 0.95)
  const found = copies.filter((_, i) => like[i * 7] === originals.length + i).length
  expect(found).toBeGreaterThan(0.95 * copies.length)
  for (const [row, other] of like.entries()) {
    if (other < 0) continue
    expect(other).toBeGreaterThan(row)
    expect(cosines[row]).toBeGreaterThanOrEqual(0.95)
    expect(cosines[row]).toBeCloseTo(cosineOf(quantise(vectors[row]!), quantise(vectors[other]!)), 5)
  }
  expect(like.filter((other) => other >= 0)).toHaveLength(found)
  expect(await findSimilar(embeddings, ranked, 0.95)).toEqual({ like, cosines })
  // Only rows that take part.
  const some = await findSimilar(
    embeddings,
    ranked.filter((row) => row % 2 === 0),
    0.95,
  )
  for (const [row, other] of some.like.entries()) if (other >= 0) expect([row % 2, other % 2]).toEqual([0, 0])
  await embeddings.close()
})

test('of equal images, and of none, the best remains', async () => {
  const same = Array.from({ length: 700 }, () => Float32Array.from({ length: LENGTH }, (_, i) => i - 40))
  const embeddings = await stored(same)
  const { like } = await findSimilar(
    embeddings,
    Uint32Array.from(same, (_, row) => row),
    1,
  )
  expect(like.filter((other) => other < 0)).toHaveLength(1)
  expect(like[0]).toBe(-1)
  await embeddings.close()
  const none = await stored([])
  expect((await findSimilar(none, new Uint32Array(), 0.9)).like).toHaveLength(0)
  await none.close()
})

test('of images that look alike, only the most similar pair is in training files by similarity, and a list names it', async () => {
  const normal = normals(11)
  const kinds = pictures(400, normal)
  // Three images of each kind; titles decide their similarity.
  const list = Array.from({ length: 1200 }, (_, i) =>
    rowOf(`n${i}`, {
      similarities: [((i * 7919) % 1200) / 1200],
      embedding: textOf(quantise(turned(kinds[i % 400]!, 0.995, normal))),
    }),
  )
  const filter = { semanticDuplicates: { above: 0.95 }, above: [0.4], top: [30] }
  const { csv, summary, folder } = await assembled(list, { filter })
  const byPath = new Map(list.map((row) => [pathOf(row), row]))
  const kindOf = (path: string) => Number(byPath.get(path)!.image.id.slice(1)) % 400
  const listed = await csv('semantic-duplicates.csv')
  const train = paths(await csv('unfiltered_5M.csv'))
  const kinds3 = Map.groupBy(train, kindOf)
  const due = [...kinds3.values()].flatMap((same) =>
    same.toSorted((a, b) => byPath.get(b)!.similarities[0]! - byPath.get(a)!.similarities[0]!).slice(1),
  )
  expect(paths(listed)).toEqual(due.toSorted())
  for (const [path, id, cosine] of listed) {
    expect(Number(id!.slice(1)) % 400).toBe(kindOf(path!))
    expect(Number(cosine)).toBeGreaterThan(0.95)
  }
  const distinct = train.filter((path) => !due.includes(path))
  const similarityOf = (path: string) => byPath.get(path)!.similarities[0]!
  expect(paths(await csv('above0.4_filtered_by_CLIP_openai.csv'))).toEqual(
    distinct.filter((path) => similarityOf(path) >= 0.4).toSorted(),
  )
  const plain = await assembled(list, { filter: { top: [30] } })
  const size = (await plain.csv('top30pct_filtered_by_CLIP_openai.csv')).length
  // The next best take the places.
  const best = distinct.toSorted((a, b) => similarityOf(b) - similarityOf(a)).slice(0, size)
  expect(paths(await csv('top30pct_filtered_by_CLIP_openai.csv'))).toEqual(best.toSorted())
  expect(summary.notes.join('\n')).toContain(
    `${due.length} of ${train.length} training pairs look like a more similar pair`,
  )
  expect(paths(await plain.csv('unfiltered_5M.csv'))).toEqual(train)
  expect((await readFile(join(folder, 'state/embeddings.bin'))).length).toBe(12 + 1200 * LENGTH)
})
