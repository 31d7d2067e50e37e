import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Config,
  formatCount,
  formatCounted,
  formatSeconds,
  InputError,
  messageOf,
  ServiceError,
} from '@skyscript/core'
import type { BuildResult } from '@skyscript/pipeline'
import { argument, defineCommand, duration, jsonOption, option } from '../command.ts'
import { EXIT, isOutage } from '../exit-codes.ts'

export const update = defineCommand({
  name: 'update',
  description:
    'bring the map up to date and build: applies osm.changes, or what the server of the extract has published',
  arguments: { region: argument('<region.yaml>', 'the region file') },
  options: {
    watch: option(
      '--watch <time>',
      'update again each time this has passed (30m, 6h, 1d ...), until stopped',
      duration,
    ),
    json: jsonOption,
  },
  async run({ region, watch, json = false }) {
    if (watch === undefined) return updateOnce(region, json)
    const { interruptible } = await import('../runs/interruptible.ts')
    const { openTerminal } = await import('../terminal/open-terminal.ts')
    for (;;) {
      const next = Date.now() + watch
      await updateOnce(region, json).catch((error) => {
        if (!passes(error)) throw error
        openTerminal().warn(`${messageOf(error)} The next update tries again.`)
      })
      const isStopped = await interruptible(openTerminal(), 'resume', ({ terminal, signal }) => {
        terminal.note(`Next update in ${formatSeconds(Math.max(0, next - Date.now()) / 1000)}.`)
        return waitUntil(next, signal)
      })
      if (isStopped) return EXIT.whole
    }
  },
})

async function updateOnce(region: string, json: boolean): Promise<number> {
  const { readRegion } = await import('../region.ts')
  const given = await readRegion(region)
  if (given.osm.at !== undefined)
    throw new InputError(
      'fixed-map',
      `${region} sets osm.at, so the map is of a fixed time; run skyscript build, or remove osm.at.`,
    )
  const config: Config = { ...given, osm: { changes: 'auto', ...given.osm } }
  const { withBuild } = await import('../runs/with-build.ts')
  const pipeline = await import('@skyscript/pipeline')
  const result = await withBuild('build', config, pipeline.build)
  const { jobs, unchanged, changes, leftOut, updates, refreshed, lock } = result
  const { changedLines } = await import('../runs/changed-lines.ts')
  process.stdout.write(
    json
      ? `${JSON.stringify({ updates, jobs, unchanged, changes, leftOut, refreshed, ...lock })}\n`
      : summaryOf(result, config, await changedLines(result)),
  )
  return Object.keys(lock.counts.failed).length === 0 ? EXIT.whole : EXIT.partial
}

/** Whether a fault may be over by the next update. */
const passes = (error: unknown) => isOutage(error) || (error instanceof ServiceError && error.retry)

/** One timer waits a day at most: Node's can't wait longer than 24 days. */
const LONGEST_TIMER_MS = 86_400_000

/** @returns whether it was stopped before that time */
async function waitUntil(time: number, signal: AbortSignal): Promise<boolean> {
  for (let left = time - Date.now(); left > 0 && !signal.aborted; left = time - Date.now())
    await sleep(Math.min(left, LONGEST_TIMER_MS), undefined, { signal }).catch(() => {})
  return signal.aborted
}

/** What the changes did to each extract, and what the build made of it. */
function summaryOf(
  { updates, refreshed, lock, unchanged }: BuildResult,
  { output }: Config,
  changed: readonly string[],
): string {
  const lines = [
    ...updates.flatMap(mapLines),
    ...Object.entries(refreshed).map(
      ([source, { images, tiles }]) =>
        `${source}: ${formatCounted(images, 'newer image')} in ${formatCounted(tiles, 'map tile')}`,
    ),
    `${formatCounted(lock.counts.kept, 'image-text pair')} in ${output}${unchanged ? ' (nothing had changed)' : ''}`,
    ...changed,
    ...Object.entries(lock.counts.failed).map(
      ([code, n]) => `failed; run the update again to retry: ${code}, ${formatCounted(n, 'object')}`,
    ),
    `report: ${output.replace(/\/$/, '')}/report/index.html`,
  ]
  return `${lines.join('\n')}\n`
}

function mapLines({ name, files, newFiles, counts, timestamp, sequence }: BuildResult['updates'][number]): string[] {
  const state = [timestamp === null ? '' : ` of ${timestamp}`, sequence === null ? '' : `, sequence number ${sequence}`]
  const row = (title: string, values: readonly string[]) =>
    `  ${title.padEnd(10)}${values.map((value) => value.padStart(12)).join('')}`
  const { ignored, ...touched } = counts
  const elements = Object.entries(touched).map(([action, of]) =>
    row(action, [of.nodes, of.ways, of.relations].map(formatCount)),
  )
  return [
    `map: ${name}${state.join('')}: ${formatCounted(files, 'change file')} since the extract, ${formatCount(newFiles)} new`,
    ...(files === 0 ? [] : [row('elements', ['nodes', 'ways', 'relations']), ...elements]),
    ...Object.entries(ignored).map(([reason, n]) => `  without effect: ${reason}, ${formatCounted(n, 'element')}`),
  ]
}
