import { dirname } from 'node:path/posix'
import { type Captioner, judgeEmbedding, parseTagClassifier, type TagRow, tagText } from '@skyscript/captioner'
import { type Config, fingerprint, getJson, InputError, type Progress, putJson, type Storage } from '@skyscript/core'
import { openTextEmbedder, type TextEmbedder } from '@skyscript/filter'
import { extract } from '@skyscript/osm-extract'
import { type ContextOptions, modelOptions } from './models.ts'
import { type CaptionTables, learnedKey, VERSIONS } from './run.ts'
import type { SourceFile } from './source-file.ts'
import { readTextFile } from './text-file.ts'

export interface LearnedTags {
  /** Where it is stored. */
  readonly key: string
  readonly learned: NonNullable<CaptionTables['learned']>
}

/**
 * Asks the classifier of the settings about the extracts' tags that no table knows. What it said before, of these or of
 * older extracts, is taken from storage: a tag is embedded once for a dataset.
 *
 * Memory: the different tags that no table knows and that are words, some 100 bytes each.
 *
 * @param at `osm.at`
 * @param tables a captioner of all tables, for what they know
 * @param existing keys in storage
 * @throws InputError `bad-classifier` where the weights are for another model
 */
export async function learnTags(
  settings: NonNullable<Config['captions']['classifier']>,
  files: readonly SourceFile[],
  at: string | undefined,
  tables: Captioner,
  storage: Storage,
  existing: ReadonlySet<string>,
  progress: Progress,
  options: ContextOptions,
  signal: AbortSignal,
): Promise<LearnedTags> {
  const judge = await openTagClassifier(settings.weights, settings.model, 'captions.classifier', options)
  const classifier = fingerprint('learn', VERSIONS.learn, judge.fingerprint)
  const inputs = fingerprint(
    tables.tagsFingerprint,
    files.map((file) => file.sha256),
    ...(at === undefined ? [] : [at]),
  )
  const key = learnedKey(classifier, inputs)
  const known = existing.has(key) ? await getJson<TagRow[]>(storage, key) : null
  if (known !== null) return { key, learned: { rows: known, classifier } }

  const before = new Map<string, TagRow>()
  for (const other of existing) {
    if (dirname(other) !== dirname(key)) continue
    for (const row of (await getJson<TagRow[]>(storage, other)) ?? []) before.set(`${row.key}=${row.value}`, row)
  }
  const paths = files.map((file) => file.path)
  const extraction = extract(paths, { wanted: new Map(), counted: tables.undecided(), at: at ?? null, signal })
  for await (const _ of extraction.chunks()) signal.throwIfAborted()
  const tags = new Set(extraction.report().tagCounts.keys())
  const rows: TagRow[] = []
  for (const tag of [...tags].sort()) {
    signal.throwIfAborted()
    rows.push(before.get(tag) ?? (await judge.judge(...splitTag(tag))))
    progress.update(rows.length, tags.size)
  }
  await putJson(storage, key, rows)
  return { key, learned: { rows, classifier } }
}

/** A key of the vocabulary holds no `=`. */
const splitTag = (tag: string): [string, string] => [tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]

/** Weights together with the model that they are for. */
export interface TagJudge {
  /** Of the weights, which say what model they are for. */
  readonly fingerprint: string
  /** Opens the model for the first tag: a build that knows them all needs none. */
  judge(key: string, value: string): Promise<TagRow>
}

/**
 * @param setting named in errors
 * @throws InputError `missing-file` or `bad-classifier`; `judge` as the model's opening does, and `bad-classifier` where
 * the weights are for another model
 */
export async function openTagClassifier(
  weights: string,
  model: string,
  setting: string,
  options: ContextOptions,
): Promise<TagJudge> {
  const classifier = parseTagClassifier(await readTextFile(weights, setting), weights)
  let opening: Promise<TextEmbedder> | undefined
  const open = async () => {
    const embedder = await openTextEmbedder(modelOptions(model, options))
    if (embedder.model.fingerprint === classifier.model.fingerprint) return embedder
    throw new InputError(
      'bad-classifier',
      `${setting}: ${weights} was trained with the text model of ${classifier.model.id}, whose files differ from those of ${model}; give that model, or train again with skyscript tags train.`,
    )
  }
  return {
    fingerprint: fingerprint(classifier),
    async judge(key, value) {
      opening ??= open()
      const embedding = await (await opening).embed(tagText(key, value))
      const { maxGsd, why } = judgeEmbedding(classifier, embedding)
      return { key, value, maxGsd, reason: why }
    },
  }
}
