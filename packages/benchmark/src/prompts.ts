import { InputError } from '@skyscript/core'

/** Texts with `{c}` where the name of a class goes. */
export type Prompts = readonly string[]

const promptsOf = (subject: string): Prompts => [`a satellite photo of ${subject}.`, `a satellite image of ${subject}`]
const SCENE = promptsOf('{c}')
const ROAD = promptsOf('road, {c}')

/** The original's prompts by data set (prompt_templates.py); its list of data sets calls rsicb256 `rsicb`. */
export const PROMPTS: Readonly<Record<string, Prompts>> = {
  SkyScript_cls: SCENE,
  aid: SCENE,
  eurosat: SCENE,
  fmow: SCENE,
  millionaid: SCENE,
  nwpu: SCENE,
  patternnet: SCENE,
  rsicb: SCENE,
  rsicb256: SCENE,
  roof_shape: promptsOf('building, {c}'),
  smoothness: ROAD,
  surface: ROAD,
}

/** `{c}` as in CLIP_benchmark's files of templates. */
const PLACE = '{c}'

/**
 * Prompts of a file: one a line, `{c}` where the class goes.
 *
 * @param name of the file, for messages
 * @throws InputError `bad-prompts`
 */
export function parsePrompts(text: string, name: string): Prompts {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim())
  for (const [i, line] of lines.entries()) {
    if (line !== '' && !line.includes(PLACE))
      throw new InputError('bad-prompts', `${name}, line ${i + 1}: a prompt needs ${PLACE} where the class name goes.`)
  }
  const prompts = lines.filter((line) => line !== '')
  if (prompts.length === 0)
    throw new InputError('bad-prompts', `${name} has no prompts; write one a line, with ${PLACE}.`)
  return prompts
}

export const fillPrompts = (prompts: Prompts, className: string): string[] =>
  prompts.map((prompt) => prompt.replaceAll(PLACE, () => className))
