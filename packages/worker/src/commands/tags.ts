import { createCaptioner } from '@skyscript/captioner'
import { InputError, type Labels } from '@skyscript/core'
import type { TagJudge } from '@skyscript/pipeline'
import { readTagTable } from '@skyscript/pipeline/files'
import { z } from 'zod'
import { answerLines } from './lines.ts'

const line = z.object({ key: z.string(), value: z.string() })

export interface TagsOptions {
  readonly labels?: Labels
  readonly tags?: string
  readonly classifier?: string
  readonly model?: string
}

/** `skyscript tags`: one answer per line, in the input's order. */
export async function tagsCommand(options: TagsOptions): Promise<number> {
  const captioner = createCaptioner({
    ...(options.labels !== undefined && { labels: options.labels }),
    ...(options.tags !== undefined && { tags: await readTagTable(options.tags, '--tags') }),
  })
  const classifier = await openClassifier(options)
  return answerLines(line, async ({ key, value }) => {
    const asked = classifier && captioner.isUndecided(key, value) ? await classifier.judge(key, value) : null
    const answer = asked
      ? { groundable: asked.maxGsd !== null, maxGsd: asked.maxGsd, why: `classifier: ${asked.reason}` }
      : captioner.groundability(key, value)
    return { key, value, ...answer }
  })
}

/** null where no classifier is asked for; the model's runtime is loaded only where one is. */
async function openClassifier({ classifier, model }: TagsOptions): Promise<TagJudge | null> {
  if (classifier === undefined && model === undefined) return null
  if (classifier === undefined || model === undefined) {
    throw new InputError(
      'missing-option',
      'A classifier needs both --classifier, the file that skyscript tags train wrote, and --model, the CLIP it was trained with.',
    )
  }
  const { openTagClassifier } = await import('@skyscript/pipeline')
  return openTagClassifier(classifier, model, '--classifier', {})
}
