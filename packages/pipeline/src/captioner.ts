import { type Captioner, createCaptioner } from '@skyscript/captioner'
import type { Config } from '@skyscript/core'
import type { TokenCounter } from '@skyscript/filter'
import { type ContextOptions, modelOptions } from './models.ts'
import type { CaptionTables } from './run.ts'
import { readStyles } from './styles.ts'
import { readTagTable, readTextFile } from './text-file.ts'

/** The captioner of a run: the shipped tables, what the run says otherwise, and the extras that its settings ask for. */
export async function openCaptioner(
  config: Pick<Config, 'captions' | 'filter' | 'seed'>,
  { tags, rules, styles, learned }: CaptionTables,
  options: ContextOptions,
): Promise<Captioner> {
  const { labels, maxTokens, more, counts, directions } = config.captions
  const counter = maxTokens === null ? null : await openCounter(config.filter.scorers[0]!.model, options)
  return createCaptioner({
    labels,
    ...(tags !== null && { tags }),
    ...(rules !== null && { rules }),
    learned,
    styles,
    counts,
    directions,
    tokens: counter && { limit: maxTokens!, count: counter.count, tokenizer: counter.fingerprint },
    more: more === 0 ? null : { captions: more, seed: config.seed },
  })
}

/** Counts tokens as the first scorer does. */
async function openCounter(model: string, options: ContextOptions): Promise<TokenCounter> {
  const { openTokenCounter } = await import('@skyscript/filter')
  return openTokenCounter(modelOptions(model, options))
}

/**
 * Reads the files that the settings of captions name.
 *
 * @throws InputError `missing-file`, `unknown-style` or `bad-style`
 */
export async function readCaptionTables(captions: Config['captions']): Promise<Omit<CaptionTables, 'learned'>> {
  return {
    tags: captions.tags === null ? null : await readTagTable(captions.tags, 'captions.tags'),
    rules: captions.rules === null ? null : await readTextFile(captions.rules, 'captions.rules'),
    styles: await readStyles(captions.templates, 'captions.templates'),
  }
}
