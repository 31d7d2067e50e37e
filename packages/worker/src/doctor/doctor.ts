/**
 * What a build needs, on this machine and elsewhere, and how to get what is missing. Every check runs, whatever the others
 * find. Packages are loaded inside the checks, so that a broken installation is reported instead of crashing.
 */
import { type Config, formatCounted, InputError, messageOf, type Terminal } from '@skyscript/core'
import { withSecrets } from '@skyscript/pipeline/files'
import { type Check, type Finding, failing } from './check.ts'
import { CHECKS } from './checks/index.ts'

/** A service that takes longer counts as unreachable. */
const CHECK_SECONDS = 20

/** Makes all checks at the same time and returns their findings in a fixed order. Never throws, never names a secret. */
export async function runDoctor(config: Config | null): Promise<Omit<Finding, 'error'>[]> {
  const findings = await findingsOf(CHECKS, config)
  return findings.map(({ error: _error, ...finding }) => finding)
}

/**
 * The checks that a build makes before it begins: those of doctor that cost little.
 *
 * @throws what the failing check threw; of several failing ones an InputError `not-ready` with the sentences of all
 */
export async function preflight(config: Config, terminal: Terminal): Promise<void> {
  const findings = await findingsOf(
    CHECKS.filter((check) => check.preflight),
    config,
  )
  const faults = findings.filter(({ status }) => status === 'fail')
  if (faults.length === 1 && faults[0]!.error !== undefined) throw faults[0]!.error
  if (faults.length > 0) {
    const sentences = faults.map(({ error, detail }) => `  ${error === undefined ? detail : messageOf(error)}`)
    throw new InputError('not-ready', `The build can't begin:\n${sentences.join('\n')}`)
  }
  for (const { status, detail, fix } of findings) if (status === 'warn') terminal.warn(`${detail}: ${fix}`)
}

async function findingsOf(checks: readonly Check[], config: Config | null): Promise<Finding[]> {
  const filled = config && withSecretsIfSet(config)
  return (await Promise.all(checks.map((check) => outcomeOf(check, filled)))).flat()
}

/** A secret that is not set is the finding of one check; the others look at the address as it stands. */
function withSecretsIfSet(config: Config): Config {
  try {
    return withSecrets(config)
  } catch {
    return config
  }
}

async function outcomeOf(check: Check, config: Config | null): Promise<readonly Finding[]> {
  const seconds = check.seconds ?? CHECK_SECONDS
  const signal = AbortSignal.timeout(seconds * 1000)
  const late = new Promise<readonly Finding[]>((resolve) => {
    const message = `no answer within ${seconds} s; check the address and the network, then run doctor again.`
    signal.addEventListener('abort', () => resolve([failing(check.name, message)]))
  })
  try {
    return await Promise.race([check.run({ config, signal }), late])
  } catch (error) {
    return [{ ...failing(check.name, messageOf(error)), error }]
  }
}

/** For a person: a line for each finding, and below it what to do. */
export function renderChecks(findings: readonly Omit<Finding, 'error'>[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length))
  const marks = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const
  const lines = findings.flatMap(({ name, status, detail, fix }) => {
    const line = `${marks[status]}  ${name.padEnd(width)}  ${detail}`
    return fix === undefined ? [line] : [line, `${' '.repeat(width + 8)}-> ${fix}`]
  })
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length
  const verdict =
    count('fail') === 0 ? 'Ready to build' : `Not ready to build: ${formatCounted(count('fail'), 'problem')} to fix`
  const warnings = count('warn') === 0 ? '' : ` (${formatCounted(count('warn'), 'warning')})`
  return `${[...lines, '', `${verdict}${warnings}.`].join('\n')}\n`
}
