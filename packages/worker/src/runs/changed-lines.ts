import type { BuildResult } from '@skyscript/pipeline'

/** What was changed of the dataset that was there before, for people. */
export async function changedLines({ changes }: Pick<BuildResult, 'changes'>): Promise<string[]> {
  if (changes === null || changes.first) return []
  const { pairsLine } = await import('@skyscript/dataset/diff')
  return [`changed since the last build: ${pairsLine(changes)}; details: changes.json`]
}
