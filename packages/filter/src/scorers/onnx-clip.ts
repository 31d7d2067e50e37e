import { availableParallelism } from 'node:os'
import { borrowThread, canonicalJson, type Device, sha256 } from '@skyscript/core'
import { findBatchSize } from '../batch-size.ts'
import { checkDevice } from '../clip/clip-model.ts'
import { ENGINE_VERSION } from '../clip/engine.ts'
import { fixedInputSize } from '../clip/preprocess.ts'
import type { Preprocessing } from '../clip/preprocessor-config.ts'
import type { Embedder } from '../embedder.ts'
import { MODEL_FILES, type ModelFolder } from '../model/model-folder.ts'
import type { ModelIdentity } from '../model/model-identity.ts'
import type { ScorerOptions } from '../scorer-options.ts'
import type { OpenAnswer, OpenQuestion } from '../threads/model-thread.ts'
import type { Engine } from './engine.ts'

// onnxruntime sends usage reports to its makers by default; users of this package have not agreed to that. It reads the
// environment of the process, which threads cannot change.
process.env.ORT_DISABLE_TELEMETRY ??= '1'

/** Batch sizes worth trying on a CPU. Larger ones are no faster, and 16 images of ViT-L/14 need 0.5 GB. */
const CPU_BATCHES = [4, 8, 16, 32]
const GPU_BATCHES = [16, 32, 64, 128, 256]

/** A hash of everything that decides an embedding. Batch size and threads don't; the device does, because of rounding. */
const fingerprintOf = ({ files }: ModelIdentity, device: Device): string =>
  sha256(canonicalJson(['onnx-clip', ENGINE_VERSION, files, ...(device === 'cpu' ? [] : [device])]))

/**
 * A CLIP in ONNX, run locally by onnxruntime in its own thread, so that the caller's event loop stays free.
 *
 * Captions are embedded one by one, so that an embedding never depends on the other captions.
 */
export const onnxClip: Engine = {
  name: 'onnx-clip',
  files: MODEL_FILES,
  serves: () => true,
  fingerprint: async ({ identity }, { device = 'cpu' }) => fingerprintOf(identity, device),
  open: openOnnxClip,
  checkWithout: ({ device = 'cpu' }) => checkDevice(device),
}

async function openOnnxClip(
  { folder, identity }: ModelFolder,
  preprocessing: Preprocessing,
  { device = 'cpu', batch = null }: Pick<ScorerOptions, 'device' | 'batch'>,
): Promise<Embedder> {
  const size = fixedInputSize(preprocessing, folder)
  const question: OpenQuestion = { folder, device, threads: availableParallelism(), ...size }
  const state = canonicalJson([question, identity.files])
  const thread = borrowThread(new URL('../threads/model-thread.ts', import.meta.url), state)
  const { fixedBatch } = await thread.ask<OpenAnswer>('open', question).catch(async (error: unknown) => {
    await thread.close()
    throw error
  })
  const tried = device === 'cpu' ? CPU_BATCHES : GPU_BATCHES
  const batches = findBatchSize(fixedBatch !== null ? [fixedBatch] : batch !== null ? [batch] : tried)
  const image = 3 * size.width * size.height

  return {
    fingerprint: fingerprintOf(identity, device),
    model: identity,
    preprocessing,
    usesCores: device === 'cpu',
    captionsAtOnce: 1,
    get batch() {
      return batches.size
    },
    async embedImages(samples) {
      const embeddings: Float32Array[] = []
      const count = samples.length / image
      for (let from = 0; from < count; ) {
        const to = Math.min(count, from + batches.size)
        const part = samples.slice(from * image, to * image)
        const started = performance.now()
        embeddings.push(...(await thread.ask<Float32Array[]>('images', part, [part.buffer])))
        batches.took(to - from, performance.now() - started)
        from = to
      }
      return embeddings
    },
    embedText: (caption) => thread.ask<Float32Array>('text', caption),
    isCut: (text) => thread.ask<boolean>('isCut', text),
    close: () => thread.close(),
  }
}
