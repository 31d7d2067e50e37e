import { bytesToDownload } from './model/find-model.ts'
import { openScorer } from './scorer.ts'
import type { ScorerOptions } from './scorer-options.ts'
import { engineFor } from './scorers/index.ts'

/**
 * Checks that a scorer can be opened, by opening it as a build does and closing it again. If the model's weights would have
 * to be downloaded first, only the hub's list of files and the device are checked. The few small files of a model on a
 * server are downloaded.
 *
 * @returns bytes that a build has yet to download
 * @throws as `openScorer`
 */
export async function checkScorer(options: ScorerOptions): Promise<number> {
  const { files, checkWithout } = engineFor(options)
  const missing = await bytesToDownload(options, files)
  if (missing > 0 && checkWithout !== null) {
    checkWithout(options)
    return missing
  }
  const scorer = await openScorer(options)
  await scorer.close()
  return 0
}
