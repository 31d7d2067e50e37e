import { formatCounted } from '@skyscript/core'
import {
  argument,
  defineCommand,
  jsonOption,
  nonNegativeInteger,
  option,
  required,
  wholeNumberFrom,
  withDefault,
} from '../command.ts'
import { MODEL } from '../tag-options.ts'

export const tagsTrain = defineCommand({
  name: 'tags train',
  description: 'train a tag classifier from labelled tags, and report how well it does',
  arguments: {
    labels: argument('<labels.csv>', 'key,value,max_gsd with an empty max_gsd for tags that are never visible'),
  },
  options: {
    model: required(option('--model <folder>', MODEL)),
    output: withDefault(option('--output <file>', 'where to write the weights'), 'tag-classifier.json'),
    folds: withDefault(option('--folds <n>', 'cross-validation folds', wholeNumberFrom(2, 20)), 5),
    seed: withDefault(option('--seed <n>', 'seed of the random folds', nonNegativeInteger), 51),
    json: jsonOption,
  },
  async run({ labels: file, model, output, folds, seed, json }) {
    const { writeFile } = await import('node:fs/promises')
    const { parseTagTable, serializeTagClassifier, tagText, trainingReportText, trainTagClassifier } = await import(
      '@skyscript/captioner'
    )
    const { openTextEmbedder } = await import('@skyscript/filter')
    const { modelOptions, readTextFile } = await import('@skyscript/pipeline/files')
    const { downloadProgress, openTerminal } = await import('../terminal/open-terminal.ts')
    const labels = parseTagTable(await readTextFile(file, 'labels'), file)
    const terminal = openTerminal()
    const embedder = await openTextEmbedder(modelOptions(model, { progress: downloadProgress(terminal) }))
    const embedding = terminal.stage('embed', 'tags')
    const embeddings: Float32Array[] = []
    for (const { key, value } of labels) {
      embeddings.push(await embedder.embed(tagText(key, value)))
      embedding.update(embeddings.length, labels.length)
    }
    embedding.end(formatCounted(labels.length, 'tag'))
    terminal.note('Fitting; a few thousand tags take about a minute.')
    const { classifier, report } = trainTagClassifier({ labels, embeddings, model: embedder.model, seed, folds })
    await writeFile(output, serializeTagClassifier(classifier))
    terminal.note(`Wrote the weights to ${output}; use them with captions.classifier or skyscript tags --classifier.`)
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : trainingReportText(report))
  },
})
