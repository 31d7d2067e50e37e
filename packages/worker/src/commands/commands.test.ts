import { readFileSync } from 'node:fs'
import { Option } from 'commander'
import { expect, test, vi } from 'vitest'
import { expectListed, modulesIn } from '../../../../test/support/folder-list.ts'
import { runCli } from '../cli.ts'
import { FORMATS } from '../exports/index.ts'
import { COMMANDS } from './index.ts'

const COMMAND_FILES = new URL('.', import.meta.url)
const FORMAT_FILES = new URL('../exports/', import.meta.url)
const NO_FORMATS = ['benchmark-sets', 'format', 'statistics', 'target']

test('every file in commands/ is a command of the list, and every file of a format one of the export formats', async () => {
  await expectListed(COMMAND_FILES, COMMANDS)
  await expectListed(FORMAT_FILES, FORMATS, { others: NO_FORMATS })
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
    '../exit-codes.ts',
    '../tag-options.ts',
    '../exports/index.ts',
    '../terminal/json-lines.ts',
    './benchmark-sets.ts',
    './format.ts',
    './statistics.ts',
  ]
  const formats = modulesIn(FORMAT_FILES, NO_FORMATS).map((name) => `../exports/${name}`)
  for (const file of [...modulesIn(COMMAND_FILES), ...formats]) {
    const source = readFileSync(new URL(`${file}.ts`, import.meta.url), 'utf8')
    for (const [, what, from] of source.matchAll(/^import ([^;]*?) from '([^']+)'/gms)) {
      if (what!.startsWith('type ') || from!.startsWith('node:')) continue
      expect(allowed, `${file} imports ${from}`).toContain(from)
    }
  }
})
