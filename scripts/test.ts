/**
 * `npm test`: types, style, import order, documentation, then every test. Arguments go to vitest: `npm test -- packages/core`.
 */
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureRedis } from '../test/support/redis.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bin = join(root, 'node_modules', '.bin')

function step(name: string, command: string, args: readonly string[]): void {
  process.stderr.write(`\n== ${name}\n`)
  const { status } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
  })
  if (status !== 0) process.exit(status ?? 1)
}

await ensureRedis()
const selected = process.argv.slice(2)
if (selected.length === 0) {
  step('types', join(bin, 'tsc'), ['--noEmit'])
  step('style', join(bin, 'biome'), ['ci', '.', '--reporter=summary'])
  step('imports', process.execPath, ['scripts/check-imports.ts'])
  step('reference', process.execPath, ['scripts/docs.ts', '--check'])
  step('links', process.execPath, ['scripts/check-links.ts'])
  step('wording', process.execPath, ['scripts/check-english.ts'])
}
step('tests', join(bin, 'vitest'), ['run', ...selected])
