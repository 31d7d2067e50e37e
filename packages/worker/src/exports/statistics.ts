import type { Terminal } from '@skyscript/core'
import type { FinishedDataset, gatherStatistics, Publication } from '@skyscript/dataset/export'

type Statistics = Awaited<ReturnType<typeof gatherStatistics>>

export const publicationOf = ({ url, published, creator }: Partial<Record<keyof Publication, string | undefined>>) =>
  ({ url: url ?? null, published: published ?? null, creator: creator ?? null }) satisfies Publication

/** Counts the manifest's rows, then describes them. */
export async function withStatistics<T>(
  dataset: FinishedDataset,
  terminal: Terminal,
  describe: (statistics: Statistics, columns: readonly string[]) => Promise<T>,
): Promise<T> {
  const { gatherStatistics, openManifest } = await import('@skyscript/dataset/export')
  const manifest = await openManifest(dataset)
  const progress = terminal.stage('manifest', 'pairs')
  try {
    const statistics = await gatherStatistics(manifest, (pairs) => progress.update(pairs, manifest.rows))
    return await describe(statistics, manifest.columns)
  } finally {
    progress.end()
    await manifest.close()
  }
}
