import { type Config, formatCount, redact, type Storage, type Terminal } from '@skyscript/core'
import { createOutages } from '@skyscript/gee-fetch'
import {
  type BuildOptions,
  type BuildResult,
  build,
  type ContextOptions,
  createEmbeddedRunner,
  createExecutor,
  type Lease,
  type PrivateAddresses,
} from '@skyscript/pipeline'
import { buildClaim, takeLease } from '@skyscript/pipeline/ownership'
import type { Runner } from '@skyscript/pipeline/runner'
import { machineLimits, queueLimits, type SharedLimits } from '../limits/shared-limits.ts'
import { createQueueRunner } from '../queue/distributed.ts'
import { openStorage } from '../storages/storages.ts'
import { closeInTime, interruptSignal, isLeftBehind } from '../terminal/interrupt.ts'
import { downloadProgress, openTerminal, readRegion } from './region.ts'

/** Jobs at a time in this process. Fetch jobs wait for the network, some for few large answers; the others keep the cores busy by themselves. */
const CONCURRENCY = { plan: 2, fetch: 12, caption: 1, score: 1 } as const

/** `skyscript build`: 0 whole, 2 partial. */
export async function buildCommand(file: string, options: { json?: boolean }): Promise<number> {
  const config = await readRegion(file)
  const result = await withBuild('build', config, build)
  const { counts } = result.lock
  if (options.json)
    process.stdout.write(`${JSON.stringify({ jobs: result.jobs, unchanged: result.unchanged, ...result.lock })}\n`)
  else process.stdout.write(summaryOf(config, result))
  return Object.keys(counts.failed).length === 0 ? 0 : 2
}

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
      // What may still write keeps the output until the process has ended.
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
  const runner = createEmbeddedRunner({ execute: executor.execute, concurrency: CONCURRENCY })
  return {
    run: runner.run,
    async close() {
      await runner.close()
      await executor.close()
    },
  }
}

function summaryOf(config: Config, { lock, unchanged }: BuildResult): string {
  const { counts, rows, notes } = lock
  const width = Math.max(...Object.keys(rows).map((path) => path.length))
  const root = config.output
  const list = (title: string, entries: readonly (readonly [string, number])[]) =>
    entries.length === 0
      ? []
      : [title, ...entries.map(([name, n]) => `  ${name.padEnd(width)}  ${formatCount(n).padStart(10)}`)]
  const byCount = (record: Readonly<Record<string, number>>) =>
    Object.entries(record).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  const lines = [
    `${formatCount(counts.kept)} image-text pairs of ${formatCount(counts.objects)} tagged objects in ${root}${unchanged ? ' (nothing had changed)' : ''}`,
    ...list('files (rows)', Object.entries(rows)),
    ...list('not in the dataset, by reason (objects)', byCount(counts.dropped)),
    ...list('failed; run the build again to retry (objects)', byCount(counts.failed)),
    ...notes.map((note) => `note: ${note}`),
    `report: ${root.replace(/\/$/, '')}/report/index.html`,
  ]
  return `${lines.join('\n')}\n`
}
