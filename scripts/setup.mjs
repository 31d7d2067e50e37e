/**
 * `node scripts/setup.mjs <script> [arguments]`: installs what the repository needs, if it isn't installed, then runs the
 * script. Plain JavaScript for whatever Node the machine has: the pinned Node that runs TypeScript is itself one of the
 * packages, and is named by its path, since a shell may remember where it found another one.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'node_modules', '.installed-lockfile')
const lockfile = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lockfile) {
  process.stderr.write('Installing packages (once, about a minute) ...\n')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    // The CPU library comes with the package; its install script would download a CUDA one.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  })
  if (status !== 0) {
    process.stderr.write(
      'npm could not install the packages; see its message above. A proxy or registry is set with `npm config`.\n',
    )
    process.exit(1)
  }
  writeFileSync(stamp, lockfile)
}

const bin = join(root, 'node_modules', '.bin')
const child = spawn(join(bin, 'node'), process.argv.slice(2), {
  stdio: 'inherit',
  env: {
    // Compiled code is kept for the next run: processes and threads start in half the time.
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node-compile-cache'),
    ...process.env,
    PATH: `${bin}${delimiter}${process.env.PATH}`,
  },
})
// Ctrl-C reaches the script by itself, and it says when it is done; other signals are passed on.
process.on('SIGINT', () => {})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})
