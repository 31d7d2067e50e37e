import { InputError } from '@skyscript/core'
import type { TagJudge } from '@skyscript/pipeline'
import { defineCommand, option } from '../command.ts'
import { labelsOption, tagsOption } from '../tag-options.ts'

export const tags = defineCommand({
  name: 'tags',
  description: 'read {"key","value"} lines on stdin; write whether each tag is visible from above, and up to which GSD',
  arguments: {},
  options: {
    labels: labelsOption,
    tags: tagsOption,
    classifier: option('--classifier <file>', 'weights from `tags train`, used for tags in no table'),
    model: option('--model <folder>', "the classifier's CLIP: a folder in the hub's layout, or a hub id"),
  },
  async run({ labels, tags: table, classifier, model }) {
    const { z } = await import('zod')
    const { createCaptioner } = await import('@skyscript/captioner')
    const { readTagTable } = await import('@skyscript/pipeline/files')
    const { answerLines } = await import('../terminal/json-lines.ts')
    const captioner = createCaptioner({
      ...(labels !== undefined && { labels }),
      ...(table !== undefined && { tags: await readTagTable(table, '--tags') }),
    })
    const judge = await openClassifier(classifier, model)
    const line = z.object({ key: z.string(), value: z.string() })
    return answerLines(line, async ({ key, value }) => {
      const judged = judge && captioner.isUndecided(key, value) ? await judge.judge(key, value) : null
      const answer = judged
        ? { groundable: judged.maxGsd !== null, maxGsd: judged.maxGsd, why: `classifier: ${judged.reason}` }
        : captioner.groundability(key, value)
      return { key, value, ...answer }
    })
  },
})

/** null without the options of a classifier. The model's runtime is loaded only with them. */
async function openClassifier(weights: string | undefined, model: string | undefined): Promise<TagJudge | null> {
  if (weights === undefined && model === undefined) return null
  if (weights === undefined || model === undefined)
    throw new InputError(
      'missing-option',
      'A classifier needs both --classifier, the file from skyscript tags train, and --model, the CLIP it was trained with.',
    )
  const { openTagClassifier } = await import('@skyscript/pipeline')
  const { downloadProgress, openTerminal } = await import('../terminal/open-terminal.ts')
  return openTagClassifier(weights, model, '--classifier', { progress: downloadProgress(openTerminal()) })
}
