/** What the package loads, and which of its parts may know which. */
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const SOURCES = fileURLToPath(new URL('../src', import.meta.url))
const PIPELINE = fileURLToPath(new URL('../../pipeline/src/index.ts', import.meta.url))

/** Folders that each folder may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  draw: [],
  catalogue: ['draw'],
  protocol: ['catalogue', 'draw'],
  '.': ['protocol'],
}

const files = globSync('**/*.ts', { cwd: SOURCES })
/** The files of this package that each file imports, for types or for values. */
const imports = new Map(
  files.map((file) => {
    const text = readFileSync(join(SOURCES, file), 'utf8')
    const found = [...text.matchAll(/ from '(\.[^']+)'/g)].map(([, path]) => join(dirname(file), path!))
    return [file, found]
  }),
)

test('imports are found', () => {
  expect(imports.get('protocol/server.ts')).toContain('draw/hash.ts')
  expect(imports.get('draw/land.ts')).toContain('draw/styles/style.ts')
})

test('protocol knows catalogue, catalogue knows drawing, and nothing knows them the other way round', () => {
  const folderOf = (file: string) => file.split('/')[0]!.replace(/^.*\.ts$/, '.')
  const wrong = [...imports].flatMap(([file, found]) =>
    found
      .filter((each) => folderOf(each) !== folderOf(file) && !MAY_IMPORT[folderOf(file)]?.includes(folderOf(each)))
      .map((each) => `${file} imports ${each}`),
  )
  expect(wrong).toEqual([])
})

test('no file imports itself through others, not even for types', () => {
  const circles: string[] = []
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
    if (path.includes(file) || done.has(file)) return
    for (const each of imports.get(file) ?? []) visit(each, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  expect(circles).toEqual([])
})

/** Prints the modules of this package that a module loads. */
const printLoaded = (module: string) => `
  const { registerHooks } = require('node:module')
  const seen = []
  registerHooks({ load: (url, context, next) => { seen.push(url); return next(url, context) } })
  import(${JSON.stringify(module)}).then(() => console.log(JSON.stringify(seen.filter((url) => url.includes('/local-earth-engine/')))))`

test('the pipeline loads no server and no drawing until a build needs them', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', printLoaded(PIPELINE)])
  const loaded = (JSON.parse(stdout) as string[]).map((url) => relative(SOURCES, fileURLToPath(url)))
  expect(loaded).toEqual(['draw/reach.ts'])
})
