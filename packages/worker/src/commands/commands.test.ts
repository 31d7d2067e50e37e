import { readdirSync, readFileSync } from 'node:fs'
import { Option } from 'commander'
import { expect, test, vi } from 'vitest'
import { runCli } from '../cli.ts'
import { FORMATS } from '../exports/index.ts'
import { COMMANDS } from './index.ts'

/** The files of a folder, without tests, the index and `others`. */
const filesIn = (folder: URL, others: readonly string[] = []) =>
  readdirSync(folder)
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => !['index', ...others].includes(name))

const commandFiles = filesIn(new URL('.', import.meta.url))
const formatFiles = filesIn(new URL('../exports/', import.meta.url), ['format', 'statistics', 'target'])

test('every file in commands/ is a command of the list, and every file of a format one of the export formats', async () => {
  const exported = await Promise.all(
    commandFiles.map(async (name) => Object.values(await import(/* @vite-ignore */ `./${name}.ts`))),
  )
  expect(new Set(exported.flat())).toEqual(new Set(COMMANDS))
  expect(exported.flat()).toHaveLength(COMMANDS.length)
  const made = await Promise.all(
    formatFiles.map(async (name) => Object.values(await import(/* @vite-ignore */ `../exports/${name}.ts`))),
  )
  expect(new Set(made.flat())).toEqual(new Set(FORMATS))
})

test('the name under which a command gets an option is its flag', () => {
  for (const { name, options } of COMMANDS)
    for (const [key, { flags }] of Object.entries(options))
      expect(`${name} ${key}`).toBe(`${name} ${new Option(flags).attributeName()}`)
})

test('an option without effect is refused in one sentence', async () => {
  const csv = import.meta.filename
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    expect(await runCli(['score', '--model', './none', '--images', csv, '--captions', csv])).toBe(1)
    expect(said).toHaveBeenLastCalledWith(expect.stringContaining('skyscript: --captions has no effect when'))
    expect(await runCli(['caption', '--model', './none'])).toBe(1)
    expect(said).toHaveBeenLastCalledWith(expect.stringContaining('skyscript: --model has no effect without'))
    expect(await runCli(['export', csv, '--format', 'zip', '--absolute'])).toBe(1)
    expect(said).toHaveBeenLastCalledWith(expect.stringContaining('skyscript: --absolute has no effect with'))
  } finally {
    said.mockRestore()
  }
})

test('a declaration of a command or format loads nothing large when it is imported', () => {
  const allowed = [
    '@skyscript/core',
    '@skyscript/pipeline/stages',
    'csv-stringify/sync',
    '../command.ts',
    '../tag-options.ts',
    '../exports/index.ts',
    '../terminal/json-lines.ts',
    './format.ts',
    './statistics.ts',
  ]
  for (const file of [...commandFiles, ...formatFiles.map((name) => `../exports/${name}`)]) {
    const source = readFileSync(new URL(`${file}.ts`, import.meta.url), 'utf8')
    for (const [, what, from] of source.matchAll(/^import ([^;]*?) from '([^']+)'/gms)) {
      if (what!.startsWith('type ') || from!.startsWith('node:')) continue
      expect(allowed, `${file} imports ${from}`).toContain(from)
    }
  }
})
