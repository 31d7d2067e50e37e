import { readdirSync, readFileSync } from 'node:fs'
import { Option } from 'commander'
import { expect, test } from 'vitest'
import { FORMATS } from '../exports/index.ts'
import { COMMANDS } from './index.ts'

/** Files of a folder that are no index, test or shared part. */
const filesIn = (folder: URL, others: readonly string[] = []) =>
  readdirSync(folder)
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => !['index', ...others].includes(name))

const commandFiles = filesIn(new URL('.', import.meta.url))

test('every file in commands/ is a command of the list, and every file of a format one of the export formats', async () => {
  const exported = await Promise.all(
    commandFiles.map(async (name) => Object.values(await import(/* @vite-ignore */ `./${name}.ts`))),
  )
  expect(new Set(exported.flat())).toEqual(new Set(COMMANDS))
  expect(exported.flat()).toHaveLength(COMMANDS.length)
  const formats = filesIn(new URL('../exports/', import.meta.url), ['format', 'statistics', 'target'])
  const made = await Promise.all(
    formats.map(async (name) => Object.values(await import(/* @vite-ignore */ `../exports/${name}.ts`))),
  )
  expect(new Set(made.flat())).toEqual(new Set(FORMATS))
})

test('the name under which a command gets an option is its flag', () => {
  for (const { name, options } of COMMANDS)
    for (const [key, { flags }] of Object.entries(options))
      expect(`${name} ${key}`).toBe(`${name} ${new Option(flags).attributeName()}`)
})

test('a declaration loads nothing large: static imports are of core, names of stages, and parts of ours without others', () => {
  const allowed = [
    '@skyscript/core',
    '@skyscript/pipeline/stages',
    'csv-stringify/sync',
    '../command.ts',
    '../tag-options.ts',
    '../exports/index.ts',
    '../terminal/json-lines.ts',
  ]
  for (const file of commandFiles) {
    const source = readFileSync(new URL(`${file}.ts`, import.meta.url), 'utf8')
    for (const [, what, from] of source.matchAll(/^import ([^;]*?) from '([^']+)'/gms)) {
      if (what!.startsWith('type ') || from!.startsWith('node:')) continue
      expect(allowed, `${file} imports ${from}`).toContain(from)
    }
  }
})
