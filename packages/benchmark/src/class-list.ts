import { formatCounted, InputError } from '@skyscript/core'
import { isEmptyField, isNumber, isTruthValue } from './pandas.ts'

/** The original takes the best 5, and fails on fewer classes. */
export const FEWEST_CLASSES = 5

/**
 * A class list as the original reads it: one name a line, trimmed, in the order of the class index.
 *
 * @param name of the file, for messages
 * @throws InputError `bad-classes` that names the line
 */
export function parseClassList(text: string, name: string): string[] {
  if (text.trim() === '')
    throw new InputError('bad-classes', `${name} is empty; write the name of one class on each line.`)
  const lines = text.replace(/(?:\r\n|\r|\n)$/, '').split(/\r\n|\r|\n/)
  const classes = lines.map((line, i) => ({ name: line.trim(), line: i + 1 }))
  checkClassNames(classes, name)
  return classes.map((each) => each.name)
}

/**
 * @param name of the file that the classes come from, for messages
 * @throws InputError `bad-classes` that names the line
 */
export function checkClassNames(
  classes: readonly { readonly name: string; readonly line: number }[],
  name: string,
): void {
  const lines = new Map<string, number>()
  for (const { name: className, line } of classes) {
    const fault = (what: string) => new InputError('bad-classes', `${name}, line ${line}: ${what}.`)
    if (className === '') throw fault('is blank, which would be a class without a name; remove the line')
    const known = lines.get(className)
    if (known !== undefined) throw fault(`repeats the class "${className}" of line ${known}; remove one of them`)
    const misread = misreadAs(className)
    if (misread !== null) throw fault(`the class name "${className}" ${misread}; rename the class`)
    lines.set(className, line)
  }
}

/** @throws InputError `bad-classes` */
export function checkEnoughClasses(classes: { readonly length: number }, name: string): void {
  if (classes.length >= FEWEST_CLASSES) return
  const count = formatCounted(classes.length, 'class', 'classes')
  const message = `${name} has ${count}, but top-5 accuracy needs at least ${FEWEST_CLASSES}; add classes.`
  throw new InputError('bad-classes', message)
}

function misreadAs(className: string): string | null {
  if (isNumber(className)) return "looks like a number, which SkyScript's own code reads as a line number of this list"
  if (isTruthValue(className)) return "looks like a truth value, which SkyScript's own code reads as 0 or 1"
  return isEmptyField(className) ? "is an empty field to SkyScript's own code, which drops its images" : null
}
