/**
 * `npm run test:readers`: the tests that read datasets with the real Python programs. The environments these need are made
 * below `.cache/` and kept until their requirements change. Arguments go to vitest.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const readers = join(root, 'test', 'readers')

/** Debian's PyTorch belongs to its own Python, which need not be the first on PATH. */
const CANDIDATES = ['python3', '/usr/bin/python3']
const DEBIAN = 'apt-get install python3-venv python3-torch python3-torchvision'
/** What identifies a Python that has what the environments build on. */
const PROBE = `
import importlib.util, sys, venv, ensurepip
assert sys.version_info >= (3, 11), 'is older than 3.11'
for name in ('torch', 'torchvision', 'numpy', 'PIL'):
    assert importlib.util.find_spec(name) is not None, 'has no ' + name
print(sys.executable, sys.version)
`

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

/** A Python that has PyTorch, and what identifies it. */
function findPython(): { readonly command: string; readonly identity: string } {
  const reasons: string[] = []
  for (const command of CANDIDATES) {
    const { status, stdout, stderr, error } = spawnSync(command, ['-c', PROBE], { encoding: 'utf8' })
    if (status === 0) return { command, identity: stdout.trim() }
    const why =
      error?.message ??
      stderr
        .trim()
        .split('\n')
        .at(-1)!
        .replace(/^\w+: /, '')
    reasons.push(`${command}: ${why}`)
  }
  return fail(
    `test:readers needs Python 3.11 or newer with venv, PyTorch and torchvision (Debian: ${DEBIAN}). ${reasons.join('; ')}.`,
  )
}

/** Makes a virtual environment, if one of these requirements isn't there; returns its Python. */
function environment(
  name: string,
  python: { readonly command: string; readonly identity: string },
  options: { readonly venv: readonly string[]; readonly pip: readonly string[] },
): string {
  const requirements = join(readers, name)
  const hash = createHash('sha256').update(`${python.identity}\n${JSON.stringify(options)}\n`)
  const key = hash.update(readFileSync(requirements)).digest('hex').slice(0, 16)
  const folder = join(root, '.cache', 'readers', key)
  const executable = join(folder, 'bin', 'python')
  const whole = join(folder, 'whole')
  if (existsSync(whole)) return executable
  process.stderr.write(`Installing the packages of test/readers/${name} (once, about a minute) ...\n`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(dirname(folder), { recursive: true })
  const step = (command: string, args: readonly string[], message: string) => {
    if (spawnSync(command, args, { stdio: ['ignore', 2, 2] }).status !== 0) fail(message)
  }
  const made = `Python could not make a virtual environment in ${folder}; see its message above (Debian: ${DEBIAN}).`
  step(python.command, ['-m', 'venv', ...options.venv, folder], made)
  const quiet = ['--quiet', '--disable-pip-version-check', '--no-input']
  step(
    executable,
    ['-m', 'pip', 'install', ...quiet, ...options.pip, '--requirement', requirements],
    `pip could not install test/readers/${name} from PyPI; see its message above. A proxy or mirror is set with \`pip config\`.`,
  )
  writeFileSync(whole, '')
  return executable
}

/** Environments of other requirements, half a GB each. */
function removeOthers(executables: readonly string[]): void {
  const kept = executables.map((executable) => basename(dirname(dirname(executable))))
  const folder = join(root, '.cache', 'readers')
  for (const name of readdirSync(folder))
    if (!kept.includes(name)) rmSync(join(folder, name), { recursive: true, force: true })
}

const python = findPython()
const plain = environment('requirements.txt', python, { venv: [], pip: [] })
const torch = environment('requirements-torch.txt', python, {
  venv: ['--system-site-packages'],
  pip: ['--no-deps', '--ignore-installed'],
})
removeOthers([plain, torch])
const vitest = join(root, 'node_modules', '.bin', 'vitest')
const { status } = spawnSync(vitest, ['run', '--config', 'vitest.readers.config.ts', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, READERS_PYTHON: plain, READERS_TORCH_PYTHON: torch },
})
process.exit(status ?? 1)
