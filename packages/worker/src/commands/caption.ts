import { createCaptioner, type TokenLimit } from '@skyscript/captioner'
import { DataFault, InputError, type Labels } from '@skyscript/core'
import { modelOptions, readStyles, readTagTable, readTextFile } from '@skyscript/pipeline/files'
import { z } from 'zod'
import { answerLines } from './lines.ts'

/** Entries, because zod's record would lose a key named `__proto__`. */
const tags = z.custom<Record<string, string>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === 'string'),
  'must be an object of texts',
)
const line = z.object({ center_tags: tags, surrounding_tags: z.array(tags).default([]) })

export interface CaptionOptions {
  readonly gsd?: number
  readonly allTags?: boolean
  readonly labels?: Labels
  readonly tags?: string
  readonly rules?: string
  readonly template?: string
  readonly counts?: boolean
  readonly maxTokens?: number
  readonly model?: string
}

/** `skyscript caption`: one caption pair per line, in the input's order; empty ones, with a reason, where no tag can be seen. */
export async function captionCommand(options: CaptionOptions): Promise<number> {
  const captioner = createCaptioner({
    ...(options.labels !== undefined && { labels: options.labels }),
    ...(options.tags !== undefined && { tags: await readTagTable(options.tags, '--tags') }),
    ...(options.rules !== undefined && { rules: await readTextFile(options.rules, '--rules') }),
    ...(options.template !== undefined && { styles: await readStyles([options.template], '--template') }),
    counts: options.counts === true,
    tokens: await tokenLimit(options),
  })
  const how = { ...(options.gsd !== undefined && { gsd: options.gsd }), ...(options.allTags && { allTags: true }) }
  return answerLines(line, ({ center_tags: center, surrounding_tags: surrounding }) => {
    try {
      const { title, titleMultiObjects } = captioner.caption(center, surrounding, how)
      return { title, title_multi_objects: titleMultiObjects }
    } catch (error) {
      if (error instanceof DataFault) return { title: '', title_multi_objects: '', reason: error.code }
      throw error
    }
  })
}

async function tokenLimit({ maxTokens, model }: CaptionOptions): Promise<TokenLimit | null> {
  if (maxTokens === undefined) return null
  if (model === undefined) {
    throw new InputError('missing-option', '--max-tokens needs --model, whose tokenizer counts; any CLIP will do.')
  }
  const { openTokenCounter } = await import('@skyscript/filter')
  const counter = await openTokenCounter(modelOptions(model, {}))
  return { limit: maxTokens, count: counter.count, tokenizer: counter.fingerprint }
}
