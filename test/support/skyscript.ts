/** Runs the command as a user does, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { globSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const MAIN = join(ROOT, 'packages', 'worker', 'src', 'main.ts')

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Keeps stdin open, as a terminal does. */
  readonly hold?: boolean
  readonly cwd?: string
}

export interface Running {
  readonly child: ChildProcess
  readonly done: Promise<Ran>
  /** Waits for a text on stdout or stderr. */
  says(pattern: RegExp): Promise<RegExpExecArray>
}

export function start(args: readonly string[], { env, input, hold, cwd }: RunOptions = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: cwd ?? ROOT,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {})
  if (!hold) child.stdin.end(input ?? '')
  const text = { stdout: '', stderr: '' }
  const listeners = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk
      for (const listener of listeners) listener()
    })
  }
  const done = once(child, 'close').then(([code]): Ran => ({ code: code as number | null, ...text }))
  return {
    child,
    done,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(text.stdout) ?? pattern.exec(text.stderr)
          if (!found) return
          listeners.delete(look)
          resolve(found)
        }
        listeners.add(look)
        look()
        void done.then(() => reject(new Error(`It ended without saying ${pattern}:\n${text.stderr}`)))
      }),
  }
}

export const skyscript = (args: readonly string[], options?: RunOptions): Promise<Ran> => start(args, options).done

/** A folder that `remove` takes away. */
export async function makeFolder(name: string): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `skyscript-${name}-`))
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}

export async function writeRegion(file: string, region: unknown): Promise<string> {
  await writeFile(file, stringify(region))
  return file
}

/** They depend on what was there before: of two equal datasets one may have been built in two steps. */
const CHANGES = ['changes.json', 'report/changes.html']

/** sha256 of every file of a dataset by its path, without `work/` and without what its last build changed. */
export function filesOf(folder: string): Record<string, string> {
  const paths = globSync('**/*', { cwd: folder, exclude: (name) => name === 'work' })
    .filter((path) => statSync(join(folder, path)).isFile() && !CHANGES.includes(path))
    .sort()
  return Object.fromEntries(paths.map((path) => [path, sha256(readFileSync(join(folder, path)))]))
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
