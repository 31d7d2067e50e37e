import { InferenceSession, Tensor } from 'onnxruntime-node'
import { featureModel } from './graphs.ts'
import { SIDE, type WordSet } from './visual-words.ts'

// onnxruntime sends telemetry by default.
process.env.ORT_DISABLE_TELEMETRY ??= '1'

const BATCH = 16

/** Runs the part of the vision model that isn't learned from captions over many pictures. */
export async function describePictures(
  sets: readonly WordSet[],
  pictures: AsyncIterable<Float32Array>,
): Promise<Float32Array[]> {
  const session = await InferenceSession.create(featureModel(sets), { intraOpNumThreads: 2 })
  const described: Float32Array[] = []
  let batch: Float32Array[] = []
  const flush = async () => {
    if (batch.length === 0) return
    const pixels = new Float32Array(batch.length * 3 * SIDE * SIDE)
    for (const [index, picture] of batch.entries()) pixels.set(picture, index * picture.length)
    const { features } = await session.run({
      pixel_values: new Tensor('float32', pixels, [batch.length, 3, SIDE, SIDE]),
    })
    const data = features!.data as Float32Array
    const size = data.length / batch.length
    for (let index = 0; index < batch.length; index++) described.push(data.slice(index * size, (index + 1) * size))
    batch = []
  }
  for await (const picture of pictures) {
    batch.push(picture)
    if (batch.length === BATCH) await flush()
  }
  await flush()
  await session.release()
  return described
}
