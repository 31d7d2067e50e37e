/** What the package loads, and which of its parts may know which. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const PIPELINE = fileURLToPath(new URL('../../pipeline/src/index.ts', import.meta.url))

/** Prints the modules of this package that a module loads. */
const printLoaded = (module: string) => `
  const { registerHooks } = require('node:module')
  const seen = []
  registerHooks({ load: (url, context, next) => { seen.push(url); return next(url, context) } })
  import(${JSON.stringify(module)}).then(() => console.log(JSON.stringify(seen.filter((url) => url.includes('/local-earth-engine/')))))`

test('the pipeline loads no server and no drawing until a build needs them', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', printLoaded(PIPELINE)])
  expect((JSON.parse(stdout) as string[]).map((url) => url.replace(/^.*\/src\//, ''))).toEqual(['draw/reach.ts'])
})
