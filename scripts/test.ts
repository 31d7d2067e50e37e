/**
 * `npm test`: types, style, import order, documentation, then every test. Arguments go to vitest: `npm test -- packages/core`.
 * `npm run test:quick` leaves out the files that are tagged as slow; `npm run lint` leaves out all tests.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureRedis } from '../test/support/redis.ts'
import { quickTests } from '../test/support/slow.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bin = join(root, 'node_modules', '.bin')
const timings = join(root, 'node_modules', '.cache', 'test-timings.json')

function step(name: string, command: string, args: readonly string[]): number {
  process.stderr.write(`\n== ${name}\n`)
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  })
  return status ?? 1
}

/** Ends the script where a step fails. */
function must(...args: Parameters<typeof step>): void {
  const status = step(...args)
  if (status !== 0) process.exit(status)
}

/** The files that took longest, so that the person who makes one slow sees it. */
function slowest(count: number): string {
  const { testResults } = JSON.parse(readFileSync(timings, 'utf8')) as {
    testResults: readonly { readonly name: string; readonly startTime: number; readonly endTime: number }[]
  }
  const files = testResults.map(({ name, startTime, endTime }) => ({ name, seconds: (endTime - startTime) / 1000 }))
  files.sort((a, b) => b.seconds - a.seconds)
  return files
    .slice(0, count)
    .map(({ name, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${relative(root, name)}\n`)
    .join('')
}

const args = process.argv.slice(2)
const isQuick = args[0] === '--quick'
const isLint = args[0] === '--lint'
if (!isLint) await ensureRedis()
if (args.length === 0 || isQuick || isLint) {
  must('types', join(bin, 'tsc'), ['--noEmit'])
  must('style', join(bin, 'biome'), ['ci', '.', '--reporter=summary'])
  must('imports', process.execPath, ['scripts/check-imports.ts'])
  must('reference', process.execPath, ['scripts/docs.ts', '--check'])
  must('links', process.execPath, ['scripts/check-links.ts'])
  must('wording', process.execPath, ['scripts/check-english.ts'])
  if (isLint) process.exit(0)
  rmSync(timings, { force: true })
  // By name, since only to load the slow ones takes half a minute.
  const selected = isQuick ? [...quickTests(root), ...args.slice(1)] : []
  const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=${timings}`]
  const status = step('tests', join(bin, 'vitest'), ['run', ...selected, ...reports])
  if (existsSync(timings)) process.stderr.write(`\n== the ten slowest files\n${slowest(10)}`)
  process.exit(status)
}
must('tests', join(bin, 'vitest'), ['run', ...args])
