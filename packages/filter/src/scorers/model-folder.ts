import { createReadStream } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError, messageOf, sha256OfStream } from '@skyscript/core'
import { z } from 'zod'

/** Files of a CLIP model in the hub's layout; all are needed. */
export const MODEL_FILES = [
  'onnx/vision_model.onnx',
  'onnx/text_model.onnx',
  'tokenizer.json',
  'preprocessor_config.json',
] as const

/** How an image becomes a tensor. */
export interface Preprocessing {
  /** Pixels of the shorter side after resizing, and of the square cut from the middle. */
  readonly size: number
  readonly crop: number
  readonly mean: readonly [number, number, number]
  readonly std: readonly [number, number, number]
}

const three = z.tuple([z.number(), z.number(), z.number()])
const pixels = z.int().min(8).max(2048)
const config = z.object({
  size: z.union([pixels, z.object({ shortest_edge: pixels }), z.object({ height: pixels, width: pixels })]),
  crop_size: z.union([pixels, z.object({ height: pixels, width: pixels })]).optional(),
  image_mean: three,
  image_std: three,
  /** 3 is Pillow's number for bicubic. */
  resample: z.literal(3).optional(),
})

/** @throws InputError `missing-model-file` or `bad-model` */
export async function readModelFolder(
  folder: string,
): Promise<{ files: { name: string; sha256: string }[]; preprocessing: Preprocessing }> {
  for (const name of MODEL_FILES) {
    await access(join(folder, name)).catch(() => {
      throw new InputError(
        'missing-model-file',
        `The model folder ${folder} has no ${name}; it needs ${MODEL_FILES.join(', ')}, as ONNX exports of CLIP on the hub have them.`,
      )
    })
  }
  const files: { name: string; sha256: string }[] = []
  for (const name of MODEL_FILES)
    files.push({ name, sha256: await sha256OfStream(createReadStream(join(folder, name))) })
  return { files, preprocessing: await readPreprocessing(join(folder, 'preprocessor_config.json')) }
}

async function readPreprocessing(path: string): Promise<Preprocessing> {
  const bad = (why: string) => new InputError('bad-model', `${path} can't be used: ${why}.`)
  let json: unknown
  try {
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw bad(messageOf(error))
  }
  const parsed = config.safeParse(json)
  if (!parsed.success)
    throw bad(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '))
  const { size, crop_size: crop, image_mean: mean, image_std: std } = parsed.data
  const side = (value: typeof size) =>
    typeof value === 'number' ? value : 'shortest_edge' in value ? value.shortest_edge : value.height
  return { size: side(size), crop: crop === undefined ? side(size) : side(crop), mean, std }
}
