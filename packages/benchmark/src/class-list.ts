import { formatCounted, InputError } from '@skyscript/core'
import { isEmptyField, isNumber, isTruthValue } from './pandas.ts'

/** The original takes the best 5, and fails on fewer classes. */
const FEWEST_CLASSES = 5

/**
 * A class list as the original reads it: one name a line, trimmed, in the order of the class index.
 *
 * @param name of the file, for messages
 * @throws InputError `bad-classes` that names the line
 */
export function parseClassList(text: string, name: string): string[] {
  const lines = text.replace(/(?:\r\n|\r|\n)$/, '').split(/\r\n|\r|\n/)
  const classes: string[] = []
  const fault = (i: number, what: string) => new InputError('bad-classes', `${name}, line ${i + 1}: ${what}.`)
  for (const [i, line] of lines.entries()) {
    const className = line.trim()
    if (className === '') throw fault(i, 'is blank, which would be a class without a name; remove the line')
    const known = classes.indexOf(className)
    if (known >= 0) throw fault(i, `repeats the class "${className}" of line ${known + 1}; remove one of them`)
    const misread = misreadAs(className)
    if (misread !== null) throw fault(i, `the class name "${className}" ${misread}; rename the class`)
    classes.push(className)
  }
  return classes
}

/** @throws InputError `bad-classes` */
export function checkEnoughClasses(classes: readonly string[], name: string): void {
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
