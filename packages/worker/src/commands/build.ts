import { byCount, type Config, formatCount, formatCounted } from '@skyscript/core'
import type { BuildResult } from '@skyscript/pipeline'
import { argument, defineCommand, jsonOption } from '../command.ts'
import { EXIT } from '../exit-codes.ts'

export const build = defineCommand({
  name: 'build',
  description: 'run the whole pipeline, from the OSM extract to the dataset; resumes where it stopped',
  arguments: { region: argument('<region.yaml>', 'the region file') },
  options: { json: jsonOption },
  async run({ region, json }) {
    const { readRegion } = await import('../region.ts')
    const config = await readRegion(region)
    const { withBuild } = await import('../runs/with-build.ts')
    const { changedLines } = await import('../runs/changed-lines.ts')
    const pipeline = await import('@skyscript/pipeline')
    const result = await withBuild('build', config, pipeline.build)
    const { jobs, unchanged, changes, leftOut, refreshed, lock } = result
    if (json) process.stdout.write(`${JSON.stringify({ jobs, unchanged, changes, leftOut, refreshed, ...lock })}\n`)
    else process.stdout.write(summaryOf(config, result, await changedLines(result)))
    return Object.keys(lock.counts.failed).length === 0 ? EXIT.whole : EXIT.partial
  },
})

function summaryOf(
  config: Config,
  { lock, unchanged, leftOut, refreshed }: BuildResult,
  changed: readonly string[],
): string {
  const { counts, rows, notes } = lock
  const width = Math.max(...Object.keys(rows).map((path) => path.length))
  const root = config.output
  const list = (title: string, entries: readonly (readonly [string, number])[]) =>
    entries.length === 0
      ? []
      : [title, ...entries.map(([name, n]) => `  ${name.padEnd(width)}  ${formatCount(n).padStart(10)}`)]
  const mostFirst = (record: Readonly<Record<string, number>>) => Object.entries(record).sort(byCount)
  const lines = [
    `${formatCounted(counts.kept, 'image-text pair')} of ${formatCounted(counts.objects, 'tagged object')} in ${root}${unchanged ? ' (nothing had changed)' : ''}`,
    ...list('files (rows)', Object.entries(rows)),
    ...list('not in the dataset, by reason (objects)', mostFirst(counts.dropped)),
    ...list(
      'left out by their source (images)',
      Object.entries(leftOut).flatMap(([source, reasons]) =>
        mostFirst(reasons).map(([reason, n]) => [`${source} ${reason}`, n] as const),
      ),
    ),
    ...list(
      'newer images that pairs are now chosen from, by source',
      Object.entries(refreshed).map(([source, { images }]) => [source, images] as const),
    ),
    ...list('failed; run the build again to retry (objects)', mostFirst(counts.failed)),
    ...notes.map((note) => `note: ${note}`),
    ...changed,
    `report: ${root.replace(/\/$/, '')}/report/index.html`,
  ]
  return `${lines.join('\n')}\n`
}
