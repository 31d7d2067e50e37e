import { DataFault } from '@skyscript/core'
import { openDualEncoder, openScorer } from '@skyscript/filter'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { startInferenceServer } from './support/inference-server.ts'
import { DEMO_MODEL } from './support/models.ts'

const OPTIONS = { name: 'demo', model: DEMO_MODEL, cacheFolder: '/nowhere' }

test('a dual encoder gives the cosines of a scorer, and takes TIFF besides, which a scorer refuses', async () => {
  const data = Uint8Array.from({ length: 3 * 40 * 30 }, (_, i) => (i * i * 7) % 256)
  const picture = sharp(data, { raw: { width: 40, height: 30, channels: 3 } })
  const png = await picture.png().toBuffer()
  const tiff = await picture.tiff({ compression: 'lzw' }).toBuffer()
  const gif = await picture.gif().toBuffer()
  const caption = 'a satellite image of natural water'
  const encoder = await openDualEncoder(OPTIONS)
  const scorer = await openScorer(OPTIONS)
  try {
    const [fromPng, fromTiff, fromGif] = await encoder.embedImages([png, tiff, gif])
    expect(fromTiff).toEqual(fromPng)
    expect(fromGif).toEqual(expect.objectContaining({ code: 'unreadable-image' }))
    const text = await encoder.embedText(caption)
    const cosine = (fromPng as Float32Array).reduce((sum, value, i) => sum + value * text[i]!, 0)
    const [score, refused] = await scorer.score([
      { image: png, caption },
      { image: tiff, caption },
    ])
    expect(score).toBe(Math.fround(cosine))
    expect(refused).toBeInstanceOf(DataFault)
  } finally {
    await encoder.close()
    await scorer.close()
  }
})

test('a text without an embedding is an error of the model, and such an image a fault', async () => {
  const server = await startInferenceServer(DEMO_MODEL)
  const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  const encoder = await openDualEncoder({ ...OPTIONS, server: { url: server.url, vision: 'vision', text: 'text' } })
  try {
    server.fault = () => 'nan'
    await expect(encoder.embedText('a lake')).rejects.toMatchObject({
      code: 'bad-model',
      message: 'The model gives no embedding for the text "a lake"; use another model.',
    })
    expect(await encoder.embedImages([png])).toEqual([expect.objectContaining({ code: 'embedding-not-a-number' })])
  } finally {
    await encoder.close()
  }
})
