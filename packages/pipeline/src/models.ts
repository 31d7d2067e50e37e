import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Progress } from '@skyscript/core'
import type { ScorerOptions } from '@skyscript/filter'
import type { EecuLedger, Limiter, Outages } from '@skyscript/gee-fetch'
import type { PrivateAddresses } from './private-addresses.ts'

export interface ContextOptions {
  /** Where a hub's models are kept between runs. */
  readonly modelCache?: string
  /** Told of model downloads. */
  readonly progress?: (what: string) => Progress
  /**
   * One limit for all processes, of an Earth Engine project or of a host; without it each process limits itself.
   * `perSecond`: requests started in a second, default Earth Engine's.
   */
  readonly limiter?: (name: string, maxConcurrent: number, perSecond: number) => Promise<Limiter>
  /** Of the settings that this process read; filled by the coordinator, for the jobs of the same process. */
  readonly privateAddresses?: PrivateAddresses
  /** What this process knows of services that are away. */
  readonly outages?: Outages
  /** What a project has used of its month; without it what was used on this machine. */
  readonly ledger?: (project: string) => EecuLedger
  /** Decides only when sources are asked again for newer images; default: the clock. */
  readonly now?: () => Date
}

export function defaultModelCache(): string {
  return process.env.SKYSCRIPT_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'skyscript')
}

/** How a model of the settings is opened: a folder, or a hub id that is downloaded once. */
export function modelOptions(model: string, options: ContextOptions): Omit<ScorerOptions, 'name'> {
  const progress = options.progress?.(`model ${model}`)
  return { model, cacheFolder: options.modelCache ?? defaultModelCache(), ...(progress && { progress }) }
}
