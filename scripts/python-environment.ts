/** Python environments below `.cache/`, for what this repository runs in Python: made once, kept until what decides them changes. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
export const ENVIRONMENTS = join(root, '.cache', 'readers')
const READERS = join(root, 'test', 'readers')

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

/** A Python on this machine, and what identifies it. */
export interface Python {
  readonly command: string
  readonly identity: string
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

/**
 * A Python that has PyTorch; ends the process with a message if there is none.
 *
 * @param needer what can't run without it, for the message
 */
export function findPython(needer: string): Python {
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
    `${needer} needs Python 3.11 or newer with venv, PyTorch and torchvision (Debian: ${DEBIAN}). ${reasons.join('; ')}.`,
  )
}

/** The packages of `requirements.txt`, in an environment without the machine's packages; returns its Python. */
export const plainEnvironment = (python: Python) => environment('requirements.txt', python, { venv: [], pip: [] })

/** OpenCLIP and torchgeo beside the machine's PyTorch; returns the environment's Python. */
export const torchEnvironment = (python: Python) =>
  environment('requirements-torch.txt', python, {
    venv: ['--system-site-packages'],
    pip: ['--no-deps', '--ignore-installed'],
  })

/** Makes a virtual environment, if one of these requirements isn't there; returns its Python. */
function environment(
  name: string,
  python: Python,
  options: { readonly venv: readonly string[]; readonly pip: readonly string[] },
): string {
  const requirements = join(READERS, name)
  const hash = createHash('sha256').update(`${python.identity}\n${JSON.stringify(options)}\n`)
  const key = hash.update(readFileSync(requirements)).digest('hex').slice(0, 16)
  const folder = join(ENVIRONMENTS, key)
  const executable = join(folder, 'bin', 'python')
  const whole = join(folder, 'whole')
  if (existsSync(whole)) return executable
  process.stderr.write(`Installing the packages of ${relative(root, requirements)} (once, about a minute) ...\n`)
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
    `pip could not install ${relative(root, requirements)} from PyPI; see its message above. A proxy or mirror is set with \`pip config\`.`,
  )
  writeFileSync(whole, '')
  return executable
}
