/**
 * What is missing on this machine, and how to get it. Each check is on its own: one that can't be made says so and the
 * others go on. Packages are loaded inside the checks, so that a broken installation is reported and not a crash.
 */
import { type Config, messageOf, printableLine } from '@skyscript/core'
import { withSecrets } from '@skyscript/pipeline/files'
import { checkImagery } from './imagery.ts'
import { checkFiles, checkOsmSource } from './inputs.ts'
import { checkDisk, checkNode, checkPackages } from './machine.ts'
import { checkModel } from './models.ts'
import { checkOutput, checkRedis } from './services.ts'

export type DoctorStatus = 'ok' | 'warn' | 'fail'

/** What one check found. */
export interface Finding {
  readonly status: DoctorStatus
  /** What is so, in one sentence or less. */
  readonly detail: string
  /** What to do about it; only where something is to be done. */
  readonly fix?: string
}

export interface DoctorCheck extends Finding {
  /** Stable name, `redis`, `osm`, `model:openai`. */
  readonly name: string
}

export interface DoctorOptions {
  /** Without one, only the machine itself is looked at. */
  readonly config?: Config
  readonly env: Readonly<Record<string, string | undefined>>
}

/** No single check takes longer; a service that is slower than this is as good as away. */
const CHECK_MS = 20_000

type Check = readonly [name: string, run: (signal: AbortSignal) => Promise<Finding | readonly DoctorCheck[]>]

/** Runs all checks at the same time and returns them in a fixed order. Never throws, never names a secret. */
export async function runDoctor(options: DoctorOptions): Promise<DoctorCheck[]> {
  const checks: Check[] = [['node', checkNode], ...checkPackages(), ...regionChecks(options)]
  const results = await Promise.all(checks.map(([name, run]) => outcomeOf(name, run)))
  return results.flat().map(redacted)
}

function regionChecks({ config, env }: DoctorOptions): Check[] {
  if (config === undefined) return []
  const { filter, output, queue } = config
  let named = config
  const secrets: Check[] = []
  try {
    named = withSecrets(config, undefined, env)
  } catch (error) {
    secrets.push(['secrets', () => Promise.reject(error)])
  }
  const { osm, imagery } = named
  const sources = typeof osm.source === 'string' ? [osm.source] : osm.source
  return [
    ...secrets,
    ['disk', () => checkDisk(output)],
    ...sources.map(
      (source, i): Check => [sources.length === 1 ? 'osm' : `osm:${i + 1}`, (signal) => checkOsmSource(source, signal)],
    ),
    ['files', () => checkFiles(config)],
    ['imagery', () => checkImagery(imagery)],
    ...filter.scorers.map((scorer): Check => [`model:${scorer.name}`, (signal) => checkModel(scorer, env, signal)]),
    ['output', () => checkOutput(output)],
    ...(queue === 'embedded' ? [] : [['redis', () => checkRedis(queue)] satisfies Check]),
  ]
}

async function outcomeOf(name: string, run: Check[1]): Promise<readonly DoctorCheck[]> {
  const signal = AbortSignal.timeout(CHECK_MS)
  try {
    const late = new Promise<Finding>((resolve) => {
      signal.addEventListener('abort', () =>
        resolve({
          status: 'fail',
          detail: `no answer within ${CHECK_MS / 1000} s`,
          fix: 'Check the address and the network, then run doctor again.',
        }),
      )
    })
    const finding = await Promise.race([run(signal), late])
    return 'status' in finding ? [{ name, ...finding }] : finding
  } catch (error) {
    return [{ name, status: 'fail', detail: messageOf(error) }]
  }
}

function redacted({ name, status, detail, fix }: DoctorCheck): DoctorCheck {
  const clean = (text: string) => printableLine(messageOf(text))
  return { name: printableLine(name), status, detail: clean(detail), ...(fix !== undefined && { fix: clean(fix) }) }
}

/** For a person: a line per check, and below it what to do. */
export function renderChecks(checks: readonly DoctorCheck[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const marks = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const
  const lines = checks.flatMap(({ name, status, detail, fix }) => {
    const line = `${marks[status]}  ${name.padEnd(width)}  ${detail}`
    return fix === undefined ? [line] : [line, `${' '.repeat(width + 8)}-> ${fix}`]
  })
  const fails = checks.filter(({ status }) => status === 'fail').length
  const warns = checks.filter(({ status }) => status === 'warn').length
  const verdict = fails > 0 ? `${fails} to fix before a build can succeed` : 'Nothing stands in the way of a build'
  return `${[...lines, '', `${verdict}${warns > 0 ? `, ${warns} to know about` : ''}.`].join('\n')}\n`
}
