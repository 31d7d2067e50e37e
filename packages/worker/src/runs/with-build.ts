import { type Config, redact, type Storage } from '@skyscript/core'
import { createOutages } from '@skyscript/gee-fetch'
import {
  type BuildOptions,
  type ContextOptions,
  createEmbeddedRunner,
  createExecutor,
  type PrivateAddresses,
  stageConcurrency,
} from '@skyscript/pipeline'
import { buildClaim } from '@skyscript/pipeline/ownership'
import type { Runner } from '@skyscript/pipeline/runner'
import { preflight } from '../doctor/doctor.ts'
import { machineLimits, type SharedLimits } from '../limits/shared-limits.ts'
import { openStorage } from '../storages/storages.ts'
import { downloadProgress, openTerminal } from '../terminal/open-terminal.ts'
import { interruptible, type Run, takeOutput } from './interruptible.ts'

/** Takes the output, opens what a build needs, runs `task`, closes it all. */
export async function withBuild<T>(
  command: 'build' | 'plan',
  config: Config,
  task: (options: BuildOptions) => Promise<T>,
): Promise<T> {
  return interruptible(openTerminal(), 'resume', async (run) => {
    const { terminal, signal, opened } = run
    await preflight(config, terminal)
    const storage = await openStorage(config.output)
    const lease = await takeOutput(storage, buildClaim(command, config), run)
    const limits = await openLimits(config)
    opened.defer(() => limits.close())
    const shared = {
      ...limits.options,
      progress: downloadProgress(terminal),
      privateAddresses: new Map() satisfies PrivateAddresses,
      outages: createOutages(({ text }) => terminal.note(text)),
    }
    const runner = await openRunner(config, storage, run, shared)
    const either = AbortSignal.any([signal, lease.signal])
    return task({ config, storage, openStorage, runner, terminal, lease, signal: either, ...shared })
  })
}

/** The queue's packages are loaded for builds that use one. */
async function openLimits({ queue }: Config): Promise<SharedLimits> {
  if (queue === 'embedded') return machineLimits()
  const { queueLimits } = await import('../limits/queue-limits.ts')
  return queueLimits(queue)
}

async function openRunner(
  config: Config,
  storage: Storage,
  { terminal, opened }: Run,
  shared: ContextOptions,
): Promise<Runner> {
  if (config.queue !== 'embedded') {
    terminal.note(`Jobs go to ${redact(config.queue)}; start workers with: skyscript worker --queue <url>`)
    const { createQueueRunner } = await import('../queue/distributed.ts')
    const runner = await createQueueRunner({
      redisUrl: config.queue,
      storage,
      onEvent: (text) => terminal.note(text),
    })
    opened.defer(() => runner.close())
    return runner
  }
  const executor = createExecutor(async () => storage, shared)
  opened.defer(() => executor.close())
  const runner = createEmbeddedRunner({ execute: executor.execute, concurrency: await stageConcurrency('embedded') })
  opened.defer(() => runner.close())
  return runner
}
