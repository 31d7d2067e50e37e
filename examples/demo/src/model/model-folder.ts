import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Projection, type TokenVectors, textModel, visionModel } from './graphs.ts'
import { CLIP_MEAN, CLIP_STD } from './pictures.ts'
import { SIDE, type WordSet } from './visual-words.ts'

export interface TrainedModel {
  readonly words: readonly WordSet[]
  readonly projection: Projection
  readonly text: TokenVectors
  /** Content of tokenizer.json. */
  readonly tokenizer: string
}

/** Writes a model in the layout of the hub's CLIP exports. */
export function writeModelFolder(folder: string, { words, projection, text, tokenizer }: TrainedModel): void {
  mkdirSync(join(folder, 'onnx'), { recursive: true })
  writeFileSync(join(folder, 'onnx', 'vision_model.onnx'), visionModel(words, projection))
  writeFileSync(join(folder, 'onnx', 'text_model.onnx'), textModel(text))
  writeFileSync(join(folder, 'tokenizer.json'), tokenizer)
  writeFileSync(join(folder, 'preprocessor_config.json'), `${JSON.stringify(PREPROCESSOR, null, 2)}\n`)
}

/** CLIP's own. */
const PREPROCESSOR = {
  do_resize: true,
  size: SIDE,
  resample: 3,
  do_center_crop: true,
  crop_size: SIDE,
  do_normalize: true,
  image_mean: CLIP_MEAN,
  image_std: CLIP_STD,
}
