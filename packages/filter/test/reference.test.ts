import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openScorer, type ScorePair } from '@skyscript/filter'
import { expect, test } from 'vitest'
import { openClipModel } from '../src/clip/clip-model.ts'
import { decodeRgb, toSamples } from '../src/clip/preprocess.ts'
import { parsePreprocessing } from '../src/clip/preprocessor-config.ts'
import { createTokenizer } from '../src/clip/tokens.ts'
import { lacksReference, REFERENCE } from './support/models.ts'

const isMissing = lacksReference()

/** Results of OpenCLIP's own tokenizer, preprocessing and model. */
interface Expected {
  readonly images: readonly string[]
  readonly captions: readonly string[]
  readonly token_ids: readonly (readonly number[])[]
  /** By image, then by caption. */
  readonly cosine: readonly (readonly number[])[]
  /** By image: mean of the absolute samples. */
  readonly pixel_mean_abs: readonly number[]
}
const expected = (): Expected => JSON.parse(readFileSync(join(REFERENCE, 'expected.json'), 'utf8')) as Expected

test.skipIf(isMissing)("token ids equal OpenCLIP's, also for long, accented, Chinese and odd captions", async () => {
  const file = join(REFERENCE, 'tokenizer.json')
  const tokenizer = createTokenizer(await readFile(file, 'utf8'), file)
  const { captions, token_ids } = expected()
  for (const [i, caption] of captions.entries()) {
    const ids = new BigInt64Array(77)
    const used = tokenizer.encode(caption, ids)
    expect([...ids].map(Number), caption).toEqual(token_ids[i])
    expect(used).toBe(token_ids[i]!.filter((id) => id !== 0).length)
  }
})

test.skipIf(isMissing)('text that OpenCLIP cleans gives the same tokens', async () => {
  const file = join(REFERENCE, 'tokenizer.json')
  const tokenizer = createTokenizer(await readFile(file, 'utf8'), file)
  const idsOf = (text: string) => {
    const ids = new BigInt64Array(77)
    tokenizer.encode(text, ids)
    return ids
  }
  const same: readonly (readonly [string, string])[] = [
    ['\u201cbig\u201d farmer\u2019s field', '"big" farmer\'s field'],
    ['o\ufb03ce', 'office'],
    ['\uff22\uff35\uff29\uff2c\uff24\uff29\uff2e\uff27', 'building'],
    ['water &amp; wood &#38; land &amp;amp; sea', 'water & wood & land & sea'],
    ['water\u0000 \ufeffpark', 'water park'],
    ['A  Water\tPARK\n', 'a water park'],
  ]
  for (const [text, plain] of same) expect(idsOf(text), text).toEqual(idsOf(plain))
})

test.skipIf(isMissing)("samples equal those of Pillow's bicubic, for every shape of image", async () => {
  const file = join(REFERENCE, 'preprocessor_config.json')
  const preprocessing = parsePreprocessing(await readFile(file, 'utf8'), file)
  const { images, pixel_mean_abs } = expected()
  for (const [i, name] of images.entries()) {
    const samples = new Float32Array(3 * 224 * 224)
    toSamples(await decodeRgb(await readFile(join(REFERENCE, 'images', name))), preprocessing, samples)
    const mean = samples.reduce((sum, sample) => sum + Math.abs(sample), 0) / samples.length
    expect(Math.abs(mean - pixel_mean_abs[i]!), name).toBeLessThan(2e-6)
  }
})

test.skipIf(isMissing)("similarities equal OpenCLIP's to 1e-5, also in batches", async () => {
  const { images, captions, cosine } = expected()
  const scorer = await openScorer({ name: 'tiny', model: REFERENCE, cacheFolder: '/nowhere' })
  try {
    const pairs: ScorePair[] = []
    const due: number[] = []
    for (const [i, name] of images.entries()) {
      const image = await readFile(join(REFERENCE, 'images', name))
      for (const j of [i, (i + 7) % captions.length]) {
        pairs.push({ image, caption: captions[j]! })
        due.push(cosine[i]![j]!)
      }
    }
    const similarities = (await scorer.score(pairs)) as number[]
    const off = similarities.map((similarity, i) => Math.abs(similarity - due[i]!))
    expect(off).toHaveLength(32)
    expect(Math.max(...off)).toBeLessThan(1e-5)
  } finally {
    await scorer.close()
  }
})

test.skipIf(isMissing)("all 256 cosines of every image with every caption equal OpenCLIP's to 1e-5", async () => {
  const { images, cosine, token_ids } = expected()
  const file = join(REFERENCE, 'preprocessor_config.json')
  const preprocessing = parsePreprocessing(await readFile(file, 'utf8'), file)
  const model = await openClipModel({ folder: REFERENCE, device: 'cpu', threads: 2, width: 224, height: 224 })
  const size = 3 * 224 * 224
  const samples = new Float32Array(images.length * size)
  for (const [i, name] of images.entries()) {
    const image = await decodeRgb(await readFile(join(REFERENCE, 'images', name)))
    toSamples(image, preprocessing, samples.subarray(i * size, (i + 1) * size))
  }
  const pictures = await model.embedImages(samples)
  for (const [j, ids] of token_ids.entries()) {
    const text = await model.embedText(BigInt64Array.from(ids, BigInt), ids.filter((id) => id !== 0).length)
    for (const [i, picture] of pictures.entries()) {
      const similarity = picture.reduce((sum, value, k) => sum + value * text[k]!, 0)
      expect(Math.abs(similarity - cosine[i]![j]!)).toBeLessThan(1e-5)
    }
  }
})
