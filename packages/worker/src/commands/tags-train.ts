import { writeFile } from 'node:fs/promises'
import {
  parseTagTable,
  serializeTagClassifier,
  tagText,
  trainingReportText,
  trainTagClassifier,
} from '@skyscript/captioner'
import { openTextEmbedder } from '@skyscript/filter'
import { modelOptions, readTextFile } from '@skyscript/pipeline/files'
import { downloadProgress, openTerminal } from './region.ts'

export interface TagsTrainOptions {
  readonly model: string
  readonly output: string
  readonly folds: number
  readonly seed: number
  readonly json?: boolean
}

/** `skyscript tags train`: a table of judged tags -> weights of the two-stage classifier, and a report of how well it does. */
export async function tagsTrainCommand(file: string, options: TagsTrainOptions): Promise<number> {
  const labels = parseTagTable(await readTextFile(file, 'labels'), file)
  const terminal = openTerminal()
  const embedder = await openTextEmbedder(modelOptions(options.model, { progress: downloadProgress(terminal) }))
  const embedding = terminal.stage('embed', 'tags')
  const embeddings: Float32Array[] = []
  for (const { key, value } of labels) {
    embeddings.push(await embedder.embed(tagText(key, value)))
    embedding.update(embeddings.length, labels.length)
  }
  embedding.end(`${labels.length} tags`)
  terminal.note('Fitting, which takes a minute for some thousand tags.')
  const { seed, folds } = options
  const { classifier, report } = trainTagClassifier({ labels, embeddings, model: embedder.model, seed, folds })
  await writeFile(options.output, serializeTagClassifier(classifier))
  terminal.note(
    `${options.output} holds the weights; name it in captions.classifier or with skyscript tags --classifier.`,
  )
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : trainingReportText(report))
  return 0
}
