import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import {
  type CaptionedRow,
  type LabelledRow,
  PROMPTS,
  type Prompts,
  parsePrompts,
  RowFaults,
} from '@skyscript/benchmark'
import { InputError, messageOf } from '@skyscript/core'
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar'
import type { FoundColumn, ReadySet } from './found-set.ts'
import { type ImageSource, isFile } from './image-source.ts'
import { nothingToMeasure } from './sets.ts'

/**
 * A set as CLIP_benchmark reads it (build_wds_dataset in its datasets/builder.py): `<split>/nshards.txt`, `<split>/0.tar` and so
 * on with an image and a `.cls` or `.txt` for each sample, and `classnames.txt`, `zeroshot_classification_templates.txt`,
 * `dataset_type.txt`.
 */

const SHARDS = 'nshards.txt'
/** In the order in which CLIP_benchmark looks for them. */
const IMAGES = ['webp', 'png', 'jpg', 'jpeg']

export const isWebdataset = (folder: string): Promise<boolean> => isFile(join(folder, 'test', SHARDS))

/** @throws InputError `bad-webdataset` */
export async function readWebdataset(folder: string, split: string): Promise<Pick<FoundColumn, 'task' | 'read'>> {
  const type = (await textOf(join(folder, 'dataset_type.txt')))?.trim().toLowerCase() ?? 'classification'
  if (type === 'retrieval') return { task: 'retrieval', read: (options) => readCaptions(folder, split, options) }
  if (type === 'classification')
    return { task: 'classification', read: (options) => readLabels(folder, split, options) }
  throw new InputError(
    'bad-webdataset',
    `${folder} is a set for "${type}"; only classification and retrieval are measured.`,
  )
}

type Options = Parameters<FoundColumn['read']>[0]

async function readLabels(folder: string, split: string, { skipMissing }: Options): Promise<ReadySet> {
  const file = join(folder, 'classnames.txt')
  const list = await textOf(file)
  if (list === null) throw new InputError('missing-file', `${file}: there is no such file; it lists the classes.`)
  const classes = linesOf(list)
  const faults = new RowFaults(join(folder, split), { skip: skipMissing, unit: 'sample' })
  const rows: LabelledRow[] = []
  for await (const { line, path, texts } of samplesOf(folder, split, 'cls', faults)) {
    const label = /^\s*\d+\s*$/.test(texts) ? Number(texts) : Number.NaN
    if (label < classes.length) rows.push({ line, path, label })
    else
      faults.add(
        line,
        'unknown-label',
        `the label "${texts.trim()}" is no line of ${file} from 0 to ${classes.length - 1}`,
      )
  }
  const set = { name: join(folder, split), rows, classes, images: imagesInShards(folder, split), faults }
  if (rows.length === 0) throw nothingToMeasure(set)
  return { task: 'classification', set, prompts: await promptsOf(folder) }
}

async function promptsOf(folder: string): Promise<Prompts> {
  const file = join(folder, 'zeroshot_classification_templates.txt')
  const text = await textOf(file)
  if (text !== null) return parsePrompts(text, file)
  const name = basename(folder)
  return Object.hasOwn(PROMPTS, name) ? PROMPTS[name]! : PROMPTS.SkyScript_cls!
}

async function readCaptions(folder: string, split: string, { skipMissing }: Options): Promise<ReadySet> {
  const faults = new RowFaults(join(folder, split), { skip: skipMissing, unit: 'sample' })
  const rows: CaptionedRow[] = []
  for await (const { line, path, texts } of samplesOf(folder, split, 'txt', faults)) {
    const captions = linesOf(texts)
    if (captions.length === 0) faults.add(line, 'empty-caption', `${path} has no caption`)
    for (const caption of captions) rows.push({ line, path, caption })
  }
  const set = { name: join(folder, split), rows, images: imagesInShards(folder, split), faults }
  if (rows.length === 0) throw nothingToMeasure(set)
  return { task: 'retrieval', set }
}

interface Sample {
  /** Its number, from 1. */
  readonly line: number
  /** Of its image, relative to the set's folder: `test/0.tar/s1.jpg`. */
  readonly path: string
  readonly texts: string
}

/** Consecutive members of a shard with the same name before its first dot are a sample. */
async function* samplesOf(folder: string, split: string, textType: string, faults: RowFaults): AsyncGenerator<Sample> {
  let line = 0
  const paths = new Set<string>()
  for (const shard of await shardsOf(folder, split)) {
    let key: string | null = null
    let parts = new Map<string, string>()
    const sample = (): Sample | null => {
      if (key === null) return null
      line++
      const image = IMAGES.map((type) => parts.get(type)).find((found) => found !== undefined)
      const texts = parts.get(`text ${textType}`)
      if (image === undefined) faults.add(line, 'missing-image', `${shard}/${key} has no image (${IMAGES.join(', ')})`)
      else if (texts === undefined) faults.add(line, 'missing-label', `${shard}/${key} has no .${textType}`)
      else if (paths.has(image)) faults.add(line, 'repeated-sample', `${image} is there twice`)
      else {
        paths.add(image)
        return { line, path: image, texts }
      }
      return null
    }
    for await (const { header, body } of membersOf(folder, shard)) {
      const { key: own, type } = partsOf(header.name)
      if (own !== key) {
        const done = sample()
        if (done) yield done
        key = own
        parts = new Map()
      }
      parts.set(type, `${shard}/${header.name}`)
      if (type === textType) parts.set(`text ${type}`, await new Response(body).text())
      else await drain(body)
    }
    const last = sample()
    if (last) yield last
  }
}

/** `a/b.seg.png` -> `a/b` and `seg.png`, as the Python package webdataset does. */
function partsOf(name: string): { key: string; type: string } {
  const from = name.lastIndexOf('/') + 1
  const dot = name.indexOf('.', from)
  return dot < 0 ? { key: name, type: '' } : { key: name.slice(0, dot), type: name.slice(dot + 1).toLowerCase() }
}

/** Images are read shard after shard, so the paths must be in the order of the samples. */
const imagesInShards = (folder: string, split: string): ImageSource => ({
  place: join(folder, split),
  missing: async () => new Set(),
  hint: async () => 'write the shards again',
  async *read(paths) {
    let next = 0
    for (const shard of await shardsOf(folder, split)) {
      if (next === paths.length) return
      if (!paths[next]!.startsWith(`${shard}/`)) continue
      for await (const { header, body } of membersOf(folder, shard)) {
        if (`${shard}/${header.name}` !== paths[next]) await drain(body)
        else {
          yield new Uint8Array(await new Response(body).arrayBuffer())
          next++
        }
      }
    }
    for (; next < paths.length; next++) yield 'the shard was changed meanwhile'
  },
})

/** Paths of the shards below the folder. */
async function shardsOf(folder: string, split: string): Promise<string[]> {
  const file = join(folder, split, SHARDS)
  const text = await textOf(file)
  if (text === null)
    throw new InputError('missing-file', `${file}: there is no such file; it has the number of shards.`)
  if (!/^\s*[1-9]\d{0,6}\s*$/.test(text))
    throw new InputError('bad-webdataset', `${file} must hold the number of shards, such as 2.`)
  return Array.from({ length: Number(text) }, (_, i) => `${split}/${i}.tar`)
}

async function* membersOf(folder: string, shard: string): AsyncGenerator<ParsedTarEntry> {
  const path = join(folder, shard)
  if (!(await isFile(path)))
    throw new InputError('missing-file', `${path}: there is no such file, but ${SHARDS} counts it.`)
  const stream = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>
  const entries = stream.pipeThrough(createTarDecoder({ strict: true })).getReader()
  try {
    for (;;) {
      const { done, value } = await entries.read()
      if (done) return
      if (value.header.type === undefined || value.header.type === 'file') yield value
      else await drain(value.body)
    }
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('bad-webdataset', `${path} can't be read as a tar file (${messageOf(error)}).`)
  } finally {
    await entries.cancel().catch(() => undefined)
  }
}

/** Reads past a member. Cancelling its body can hang the decoder instead, depending on where the chunks of the file end. */
const drain = (body: ParsedTarEntry['body']) => body.pipeTo(new WritableStream())

const textOf = (path: string) => readFile(path, 'utf8').catch(() => null)

/** As CLIP_benchmark: without blank lines. */
const linesOf = (text: string) =>
  text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
