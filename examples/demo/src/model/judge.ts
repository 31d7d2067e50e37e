import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { CONTEXT } from './graphs.ts'
import { classOf, loadPicture, type Pair } from './pictures.ts'
import { SIDE } from './visual-words.ts'

export interface Judgement {
  /** Comparisons of a picture's own caption with a caption of another class, and how many its own won. */
  readonly compared: number
  readonly right: number
  /** Share won by class, worst first. */
  readonly worst: readonly { readonly className: string; readonly share: number; readonly count: number }[]
}

/**
 * How well a model distinguishes pictures' captions from those of other classes: each picture's caption against every
 * other pair's caption of another class, so that "a case" is a picture and a wrong caption as common as captions are.
 */
export async function judge(folder: string, pairs: readonly Pair[]): Promise<Judgement> {
  const titles = [...new Set(pairs.map(({ title }) => title))]
  const texts = await embedTexts(folder, titles)
  const textOf = new Map(titles.map((title, index) => [title, texts[index]!]))
  const classes = new Map<string, { right: number; compared: number; count: number }>()
  const vision = await InferenceSession.create(join(folder, 'onnx', 'vision_model.onnx'))
  for (const { path, title } of pairs) {
    const picture = await loadPicture(path)
    const { image_embeds } = await vision.run({
      pixel_values: new Tensor('float32', picture, [1, 3, SIDE, SIDE]),
    })
    const image = unit(image_embeds!.data as Float32Array)
    const className = classOf(title)
    const own = dot(image, textOf.get(title)!)
    const entry = classes.get(className) ?? { right: 0, compared: 0, count: 0 }
    entry.count++
    for (const other of pairs) {
      if (classOf(other.title) === className) continue
      entry.compared++
      if (own > dot(image, textOf.get(other.title)!)) entry.right++
    }
    classes.set(className, entry)
  }
  await vision.release()
  const entries = [...classes].map(([className, entry]) => ({ className, ...entry }))
  return {
    compared: entries.reduce((sum, { compared }) => sum + compared, 0),
    right: entries.reduce((sum, { right }) => sum + right, 0),
    worst: entries
      .map(({ className, right, compared, count }) => ({ className, share: right / compared, count }))
      .sort((a, b) => a.share - b.share),
  }
}

async function embedTexts(folder: string, titles: readonly string[]): Promise<Float32Array[]> {
  const tokenizer = new Tokenizer(JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8')), {})
  const session = await InferenceSession.create(join(folder, 'onnx', 'text_model.onnx'))
  const embedded: Float32Array[] = []
  for (const title of titles) {
    const { ids } = tokenizer.encode(title)
    const row = new BigInt64Array(CONTEXT)
    for (const [at, id] of ids.slice(0, CONTEXT).entries()) row[at] = BigInt(id)
    const { text_embeds } = await session.run({ input_ids: new Tensor('int64', row, [1, CONTEXT]) })
    embedded.push(unit(text_embeds!.data as Float32Array))
  }
  await session.release()
  return embedded
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let index = 0; index < a.length; index++) sum += a[index]! * b[index]!
  return sum
}
