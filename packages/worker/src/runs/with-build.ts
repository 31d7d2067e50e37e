import { type Config, redact, type Storage, type Terminal } from '@skyscript/core'
import { createOutages } from '@skyscript/gee-fetch'
import {
  type BuildOptions,
  type ContextOptions,
  createEmbeddedRunner,
  createExecutor,
  type Lease,
  type PrivateAddresses,
  stageConcurrency,
} from '@skyscript/pipeline'
import { buildClaim, takeLease } from '@skyscript/pipeline/ownership'
import type { Runner } from '@skyscript/pipeline/runner'
import { preflight } from '../doctor/doctor.ts'
import { machineLimits, queueLimits, type SharedLimits } from '../limits/shared-limits.ts'
import { createQueueRunner } from '../queue/distributed.ts'
import { openStorage } from '../storages/storages.ts'
import { closeInTime, interruptSignal, isLeftBehind } from '../terminal/interrupt.ts'
import { downloadProgress, openTerminal } from '../terminal/open-terminal.ts'

/** Takes the output, opens what a build needs, runs `task`, closes it all. */
export async function withBuild<T>(
  command: 'build' | 'plan',
  config: Config,
  task: (options: BuildOptions) => Promise<T>,
): Promise<T> {
  const terminal = openTerminal()
  const interrupt = interruptSignal(terminal)
  let runner: Runner | undefined
  let lease: Lease | undefined
  let limits: SharedLimits | undefined
  const run = async () => {
    await preflight(config, terminal)
    const storage = await openStorage(config.output)
    lease = await takeLease(storage, buildClaim(command, config), {
      onWait: (text) => terminal.note(text),
      signal: interrupt.signal,
    })
    limits = config.queue === 'embedded' ? machineLimits() : queueLimits(config.queue)
    const shared = {
      ...limits.options,
      progress: downloadProgress(terminal),
      privateAddresses: new Map() satisfies PrivateAddresses,
      outages: createOutages(({ text }) => terminal.note(text)),
    }
    runner = await openRunner(config, storage, terminal, shared)
    return task({
      config,
      storage,
      openStorage,
      runner,
      terminal,
      lease,
      signal: AbortSignal.any([interrupt.signal, lease.signal]),
      ...shared,
    })
  }
  try {
    return await interrupt.race(run())
  } finally {
    await closeInTime(async () => {
      await runner?.close()
      await limits?.close()
      // A task that was left behind may still write: then the output stays taken until the process has ended.
      if (!isLeftBehind()) await lease?.release()
    })
    interrupt.release()
  }
}

async function openRunner(
  config: Config,
  storage: Storage,
  terminal: Terminal,
  shared: ContextOptions,
): Promise<Runner> {
  if (config.queue !== 'embedded') {
    terminal.note(`Jobs go to ${redact(config.queue)}; start workers with: skyscript worker --queue <url>`)
    return createQueueRunner({ redisUrl: config.queue, storage, onEvent: (text) => terminal.note(text) })
  }
  const executor = createExecutor(async () => storage, shared)
  const runner = createEmbeddedRunner({ execute: executor.execute, concurrency: await stageConcurrency('embedded') })
  return {
    run: runner.run,
    async close() {
      await runner.close()
      await executor.close()
    },
  }
}
