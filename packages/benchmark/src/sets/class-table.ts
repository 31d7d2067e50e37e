import { InputError, parseCsv, type Tags } from '@skyscript/core'
import { checkClassNames, checkEnoughClasses } from '../class-list.ts'

/** A class of a benchmark set, and the objects that show it. */
export interface ClassRow {
  readonly name: string
  /** Lists of tags; an object that has all tags of any list shows the class. A value of `*` stands for any. */
  readonly tags: readonly (readonly (readonly [key: string, value: string])[])[]
  /** The coarser class that it belongs to; null in a table without groups. */
  readonly group: string | null
}

/** In the order of the class index. */
export type ClassTable = readonly ClassRow[]

/** At these Python ends a line of a class list, or strips them from its ends. */
const UNLISTABLE = /[\p{Cc}\u2028\u2029]/u
const COLUMNS = ['class', 'tags', 'group']

/**
 * Reads a table of classes: a CSV with the columns `class`, `tags` and optionally `group`. Tags are written `key=value`, with `+`
 * for "and" and `;` for "or": `leisure=pitch+sport=tennis;sport=padel`.
 *
 * @param name of the file, for messages
 * @throws InputError `bad-classes` that names the line
 */
export function parseClassTable(text: string, name: string): ClassTable {
  const { columns, rows } = parseCsv(text, name, 'bad-classes')
  if (columns.join() !== 'class,tags' && columns.join() !== COLUMNS.join())
    throw new InputError('bad-classes', `${name} must have the columns class,tags or class,tags,group.`)
  const hasGroups = columns.length === COLUMNS.length
  const table = rows.map(({ line, fields }) => {
    const fault = (what: string) => new InputError('bad-classes', `${name}, line ${line}: ${what}.`)
    const [className = '', tags = '', group = ''] = fields.map((field) => field.trim())
    if (UNLISTABLE.test(className + group))
      throw fault(`the class ${JSON.stringify(className)} or its group has a line break or another control character`)
    if (hasGroups && group === '') throw fault(`the class "${className}" has no group`)
    const lists = tags.split(';').map((list) => list.split('+').map(tagOf))
    if (lists.flat().includes(null))
      throw fault(`the tags of "${className}" must be key=value, with + for "and" and ; for "or"`)
    const row: ClassRow = { name: className, tags: lists as ClassRow['tags'], group: hasGroups ? group : null }
    return { line, row }
  })
  checkClassNames(
    table.map(({ row, line }) => ({ name: row.name, line })),
    name,
  )
  const classes = table.map(({ row }) => row)
  checkEnoughClasses(classes, name)
  if (hasGroups) {
    const groups = groupsOf(classes)
    checkClassNames(
      groups.map((group) => ({ name: group, line: table.find(({ row }) => row.group === group)!.line })),
      name,
    )
    checkEnoughClasses(groups, `The column group of ${name}`)
  }
  return classes
}

function tagOf(text: string): [string, string] | null {
  const [key = '', ...value] = text.split('=').map((part) => part.trim())
  return key === '' || value.join('=') === '' ? null : [key, value.join('=')]
}

/** The groups of a table in the order of their first class. */
export const groupsOf = (table: ClassTable): string[] => [...new Set(table.flatMap(({ group }) => group ?? []))]

/** Index of the class that an object with these tags shows; `none`, or `several` for an object that fits more than one. */
export type Label = number | 'none' | 'several'

/** Labels objects by their tags; looks only at classes that have a tag with one of the object's keys. */
export function createLabeller(table: ClassTable): (tags: Tags) => Label {
  const byKey = new Map<string, Set<number>>()
  for (const [i, { tags }] of table.entries()) {
    // All tags of a list are needed, so the last key, the most specific one, finds it.
    for (const list of tags) byKey.set(list.at(-1)![0], (byKey.get(list.at(-1)![0]) ?? new Set()).add(i))
  }
  return (tags) => {
    let found: Label = 'none'
    const has = ([key, value]: readonly [string, string]) =>
      Object.hasOwn(tags, key) && (value === '*' || tags[key] === value)
    for (const key of Object.keys(tags)) {
      for (const index of byKey.get(key) ?? []) {
        if (index === found || !table[index]!.tags.some((list) => list.every(has))) continue
        if (found !== 'none') return 'several'
        found = index
      }
    }
    return found
  }
}
