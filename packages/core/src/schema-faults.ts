import type { ZodType, z } from 'zod'

/** A value that fits its schema, or what is wrong with it: one sentence for each fault, such as `filter.val: expected a number, got a string`. */
export type Checked<T> = { readonly value: T } | { readonly faults: readonly string[] }

/**
 * Checks data from outside against a schema, in the words of a person rather than of the schema library.
 *
 * Strings are never quoted, since a value in the wrong place may be a secret.
 *
 * @param whole what to call the value itself, where a fault is not about one of its fields
 */
export function checkWith<T>(schema: ZodType<T>, value: unknown, whole = ''): Checked<T> {
  const result = schema.safeParse(value, { error: schemaMessage })
  if (result.success) return { value: result.data }
  return { faults: result.error.issues.flatMap((issue) => faultsOf(issue, whole)) }
}

function faultsOf(issue: z.core.$ZodIssue, whole: string): string[] {
  const path = fieldPath(issue.path)
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${path ? `${path}.` : ''}${key}: unknown field; check its spelling or remove it`)
  const name = path || whole
  return [name === '' ? issue.message : `${name}: ${issue.message}`]
}

/** `imagery.sources[0].gsd` */
function fieldPath(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
  return steps.join('').replace(/^\./, '')
}

/** The message of an issue whose schema brings none of its own; undefined leaves it to the library. */
export const schemaMessage: z.core.$ZodErrorMap = (issue) => {
  const limit = (value: number | bigint, than: string, inclusive: boolean | undefined) => {
    const { origin } = issue as { origin?: string }
    const bound = `${inclusive === false ? `${than} than ` : `at ${than === 'more' ? 'least' : 'most'} `}${value}`
    if (origin === 'string')
      return value === 1 && than === 'more' ? 'must not be empty' : `must have ${bound} characters`
    if (origin === 'array') return value === 1 && than === 'more' ? 'must not be empty' : `must have ${bound} entries`
    return `must be ${bound}`
  }
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is missing; expected ${kindOf(issue.expected)}`
        : `expected ${kindOf(issue.expected)}, got ${shown(issue.input)}`
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${String(issue.values[0])}`
        : `must be one of ${issue.values.map(String).join(', ')}`
    case 'too_small':
      return limit(issue.minimum, 'more', issue.inclusive)
    case 'too_big':
      return limit(issue.maximum, 'less', issue.inclusive)
    case 'invalid_format':
      return issue.format === 'url' ? 'must be an http(s) URL' : 'has the wrong form'
    default:
      return undefined
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
}

const kindOf = (type: string): string => KINDS[type] ?? type

function shown(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
