import { stat } from 'node:fs/promises'
import { PROMPTS, type Prompts, parsePrompts } from '@skyscript/benchmark'
import { InputError } from '@skyscript/core'
import { readTextFile } from '@skyscript/pipeline/files'

/**
 * The prompts of a data set of the original, or of a file.
 *
 * @throws InputError `usage`, `bad-prompts`
 */
export async function promptsNamed(name: string): Promise<Prompts> {
  const known = Object.hasOwn(PROMPTS, name) ? PROMPTS[name] : undefined
  if (known !== undefined) return known
  const found = await stat(name).catch(() => null)
  if (found?.isFile()) return parsePrompts(await readTextFile(name, '--prompts'), name)
  const names = Object.keys(PROMPTS).join(', ')
  throw new InputError('usage', `--prompts ${name}: use ${names}, or a file with a prompt on each line.`)
}
