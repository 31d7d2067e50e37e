import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TOOL_VERSION } from '@skyscript/core'
import { afterAll, beforeAll, expect, test } from 'vitest'

const LAUNCHER = fileURLToPath(new URL('../bin/skyscript.cjs', import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-launcher-'))
  await writeFile(
    join(folder, 'old.cjs'),
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.1' } })\n",
  )
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs the launcher with a Node that says it is older. */
const runOld = (launcher: string, ...args: string[]) =>
  spawnSync(process.execPath, ['--require', join(folder, 'old.cjs'), launcher, ...args], { encoding: 'utf8' })

test('an older Node hands over to the one that is installed with the packages', () => {
  const version = runOld(LAUNCHER, '--version')
  expect([version.status, version.stdout.trim(), version.stderr]).toEqual([0, TOOL_VERSION, ''])
  // Doctor names the Node that it runs with.
  expect(runOld(LAUNCHER, 'doctor').stdout).toMatch(/^ok +node +Node (?:2[4-9]|[3-9]\d)\./m)
})

test('an older Node without another is told in one sentence which version is needed', async () => {
  const alone = join(folder, 'packages', 'worker', 'bin', 'skyscript.cjs')
  await cp(LAUNCHER, alone)
  const { status, stdout, stderr } = runOld(alone, '--version')
  expect([status, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^skyscript needs Node 24 or newer, and this is Node 20\.11\.1; [^\n]+\n$/)
})
