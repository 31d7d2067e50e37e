import { DataFault, InputError } from '@skyscript/core'
import { defineCommand, flag, option, positiveInteger, positiveNumber } from '../command.ts'
import { labelsOption, tagsOption } from '../tag-options.ts'

export const caption = defineCommand({
  name: 'caption',
  description:
    'read {"center_tags":{},"surrounding_tags":[{}]} lines on stdin; write {"title","title_multi_objects"} for each',
  arguments: {},
  options: {
    gsd: option('--gsd <metres>', 'use only tags visible at this ground sampling distance', positiveNumber),
    allTags: flag('--all-tags', 'use every tag, visible or not'),
    labels: labelsOption,
    tags: tagsOption,
    rules: option('--rules <file>', 'file that replaces the shipped caption tables'),
    template: option('--template <style>', 'skyscript, it-shows, or the path of a style file (start it with ./)'),
    counts: flag('--counts', 'say how many similar objects are around'),
    maxTokens: option('--max-tokens <n>', 'keep captions within this many tokens, for example 77', positiveInteger),
    model: option('--model <folder>', 'the CLIP whose tokenizer counts them'),
  },
  async run({ gsd, allTags, labels, tags: table, rules, template, counts, maxTokens, model }) {
    const { createCaptioner } = await import('@skyscript/captioner')
    const { readStyles, readTagTable, readTextFile } = await import('@skyscript/pipeline/files')
    const { answerLines } = await import('../terminal/json-lines.ts')
    const captioner = createCaptioner({
      ...(labels !== undefined && { labels }),
      ...(table !== undefined && { tags: await readTagTable(table, '--tags') }),
      ...(rules !== undefined && { rules: await readTextFile(rules, '--rules') }),
      ...(template !== undefined && { styles: await readStyles([template], '--template') }),
      counts: counts === true,
      tokens: await tokenLimit(maxTokens, model),
    })
    const how = { ...(gsd !== undefined && { gsd }), ...(allTags && { allTags: true }) }
    /** As in a build: an object in a tunnel or underground is neither captioned nor mentioned. */
    const hidden = (tags: Readonly<Record<string, string>>) => (allTags ? null : captioner.hidden(tags))
    return answerLines(await lineSchema(), ({ center_tags: center, surrounding_tags: surrounding }) => {
      const reason = hidden(center)
      if (reason !== null) return without(reason)
      try {
        const seen = surrounding.filter((tags) => hidden(tags) === null)
        const { title, titleMultiObjects } = captioner.caption(center, seen, how)
        return { title, title_multi_objects: titleMultiObjects }
      } catch (error) {
        if (error instanceof DataFault) return without(error.code)
        throw error
      }
    })
  },
})

const without = (reason: string) => ({ title: '', title_multi_objects: '', reason })

async function lineSchema() {
  const { z } = await import('zod')
  /** Not z.record, which would lose a key named `__proto__`. */
  const tags = z.custom<Record<string, string>>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.values(value).every((each) => typeof each === 'string'),
    'expected an object of strings, such as {"building":"yes"}',
  )
  return z.object({ center_tags: tags, surrounding_tags: z.array(tags).default([]) })
}

async function tokenLimit(limit: number | undefined, model: string | undefined) {
  if (limit === undefined) {
    if (model !== undefined)
      throw new InputError('usage', '--model has no effect without --max-tokens; remove it, or add --max-tokens.')
    return null
  }
  if (model === undefined)
    throw new InputError('missing-option', '--max-tokens needs --model, whose tokenizer counts; any CLIP will do.')
  const { openTokenCounter } = await import('@skyscript/filter')
  const { modelOptions } = await import('@skyscript/pipeline/files')
  const { downloadProgress, openTerminal } = await import('../terminal/open-terminal.ts')
  const counter = await openTokenCounter(modelOptions(model, { progress: downloadProgress(openTerminal()) }))
  return { limit, count: counter.count, tokenizer: counter.fingerprint }
}
