import { type Config, fingerprint, redact } from '@skyscript/core'
import { lockedConfig } from '../lock.ts'
import type { LeaseClaim } from './lease.ts'

/** What a build or a plan of these settings claims: all that decides the dataset, so that a refusal can name what differs. */
export function buildClaim(command: 'build' | 'plan', config: Config): LeaseClaim {
  const settings: Record<string, string> = {}
  for (const [name, value] of Object.entries<unknown>(lockedConfig(config))) {
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isGroup) settings[name] = fingerprint(value)
    else for (const [part, each] of Object.entries(value)) settings[`${name}.${part}`] = fingerprint(each)
  }
  const { changes } = config.osm
  if (changes !== undefined) settings['osm.changes'] = fingerprint([changes].flat().map(redact))
  return { command, settings, remote: config.queue !== 'embedded' }
}

/** Of a command whose options decide what it writes. */
export const optionsClaim = (command: 'cut' | 'benchmark' | 'export' | 'evaluate', options: unknown): LeaseClaim => ({
  command,
  settings: { options: fingerprint(options) },
})
