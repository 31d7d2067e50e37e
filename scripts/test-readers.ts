/**
 * `npm run test:readers`: the tests that read datasets with the real Python programs. The environments these need are made
 * below `.cache/` and kept until their requirements change. Arguments go to vitest.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENVIRONMENTS, findPython, plainEnvironment, torchEnvironment } from './python-environment.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Environments of other requirements, half a GB each. */
function removeOthers(executables: readonly string[]): void {
  const kept = executables.map((executable) => basename(dirname(dirname(executable))))
  for (const name of readdirSync(ENVIRONMENTS))
    if (!kept.includes(name)) rmSync(join(ENVIRONMENTS, name), { recursive: true, force: true })
}

const python = findPython('test:readers')
const plain = plainEnvironment(python)
const torch = torchEnvironment(python)
removeOthers([plain, torch])
const vitest = join(root, 'node_modules', '.bin', 'vitest')
const { status } = spawnSync(vitest, ['run', '--config', 'vitest.readers.config.ts', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, READERS_PYTHON: plain, READERS_TORCH_PYTHON: torch },
})
process.exit(status ?? 1)
