import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')

/** A test file that lacks something, run by vitest; `ciMayLack` is source text. */
async function run(env: Readonly<Record<string, string>>, ciMayLack?: string) {
  await mkdir(join(ROOT, '.cache'), { recursive: true })
  const folder = await mkdtemp(join(ROOT, '.cache', 'needs-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const need = `{ name: 'a cow', isThere: () => false, advice: 'buy one', ciMayLack: ${ciMayLack} }`
  const source = [
    "import { expect, test } from 'vitest'",
    `import { lacks } from '${join(import.meta.dirname, 'needs.ts')}'`,
    `test.skipIf(lacks(${need}))('milk is white', () => expect(1).toBe(2))`,
    `test.skipIf(lacks(${need}))('milk is wet', () => expect(1).toBe(2))`,
    "test('grass is green', () => expect(1).toBe(1))",
  ]
  await writeFile(join(folder, 'milk.test.ts'), `${source.join('\n')}\n`)
  const config = join(folder, 'vitest.config.ts')
  await writeFile(config, `export default { test: { expect: { requireAssertions: true } } }\n`)
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  const report = join(folder, 'report.json')
  const args = [vitest, 'run', '--root', folder, '--config', config, '--reporter', 'json', '--outputFile', report]
  const { CI: _, ...others } = process.env
  const { stderr, status } = spawnSync(process.execPath, args, { env: { ...others, ...env }, encoding: 'utf8' })
  const { testResults } = JSON.parse(await readFile(report, 'utf8')) as {
    testResults: { assertionResults: { title: string; status: string; failureMessages: string[] }[] }[]
  }
  const results = testResults.flatMap(({ assertionResults }) => assertionResults)
  return {
    status,
    stderr,
    states: Object.fromEntries(results.map((result) => [result.title, result.status])),
    faults: results.flatMap(({ failureMessages }) => failureMessages).join('\n'),
  }
}

test('tests that lack something are skipped, and one skip says what is missing and how to get it', async () => {
  const { status, stderr, states } = await run({})
  expect(states).toEqual({
    'a cow is missing: buy one': 'skipped',
    'milk is white': 'skipped',
    'milk is wet': 'skipped',
    'grass is green': 'passed',
  })
  expect(stderr).toContain('Skipped tests: a cow is missing: buy one.')
  expect(status).toBe(0)
})

test('with CI=true they fail, unless CI may lack it', async () => {
  const { status, states, faults } = await run({ CI: 'true' })
  expect([status, states['the tests here have a cow'], states['milk is white']]).toEqual([1, 'failed', 'skipped'])
  expect(faults).toContain('a cow is missing: buy one.')
  const may = await run({ CI: 'true' }, '() => true')
  expect([may.status, may.states['a cow is missing: buy one']]).toEqual([0, 'skipped'])
})
