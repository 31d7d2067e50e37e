import { checkDevice } from './clip/clip-model.ts'
import { bytesToDownload } from './model/find-model.ts'
import { LOCAL_FILES, MODEL_FILES } from './model/model-folder.ts'
import { openScorer } from './scorer.ts'
import type { ScorerOptions } from './scorer-options.ts'

/**
 * Checks that a scorer can be opened. If its files are local, it is opened like in a build and closed again; otherwise
 * only the hub's list of files and the device are checked.
 *
 * @returns bytes that a build would download first
 * @throws as `openScorer`
 */
export async function checkScorer(options: ScorerOptions): Promise<number> {
  const { server = null, device = 'cpu' } = options
  const missing = await bytesToDownload(options, server === null ? MODEL_FILES : LOCAL_FILES)
  // A model on a server needs only a few small files here.
  if (missing > 0 && server === null) {
    checkDevice(device)
    return missing
  }
  const scorer = await openScorer(options)
  await scorer.close()
  return 0
}
