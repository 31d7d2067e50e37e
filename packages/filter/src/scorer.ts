import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataFault } from '@skyscript/core'
import { parsePreprocessing } from './clip/preprocessor-config.ts'
import type { Embedder } from './embedder.ts'
import type { NamedEmbedder } from './image-embedder.ts'
import { findModel } from './model/find-model.ts'
import { checkModelLogin } from './model-server/model-login.ts'
import type { ScorerOptions } from './scorer-options.ts'
import type { Engine } from './scorers/engine.ts'
import { engineFor } from './scorers/index.ts'
import type { ScorePair } from './scoring.ts'
import { createScoring, type ScorerIdentity, type Scoring, scorerFingerprint } from './scoring.ts'

/** Image + caption -> similarity. */
export interface Scorer extends ScorerIdentity {
  /**
   * Similarities of pairs in order: cosines in [-1, 1] as 32-bit floats. A pair that can't be scored gives a DataFault
   * (`unreadable-image`, `empty-caption`, `similarity-not-a-number`), and the others are still scored.
   *
   * @throws the signal's reason once it is aborted; ServiceError if a server that runs the model fails
   */
  score(pairs: readonly ScorePair[], signal?: AbortSignal): Promise<(number | DataFault)[]>
  /** Ends the threads and frees the model; calls in progress fail. */
  close(): Promise<void>
}

/**
 * Opens a scorer. A hub model is downloaded at first use, and from then on loaded from `cacheFolder` without the network.
 *
 * @throws InputError `missing-model-file` or `bad-model` if the folder can't be used, `unknown-model` if the hub has no
 * such model, `no-such-device`
 * @throws ServiceError `hub-unreachable`, `hub-error` or `hub-corrupt` if a download fails, `model-server-failed`
 */
export async function openScorer(options: ScorerOptions): Promise<Scorer> {
  const { scorers, score, close } = await openScoring([options])
  return {
    ...scorers[0]!,
    async score(pairs, signal) {
      return (await score(pairs, signal)).map(({ similarities }) => similarities[0]!)
    },
    close,
  }
}

/** Opens several scorers that score the same pairs; see `openScorer`. */
export async function openScoring(list: readonly ScorerOptions[]): Promise<Scoring> {
  checkModelLogin(list.flatMap(({ server }) => (server ? [server.url] : [])))
  const opened: NamedEmbedder[] = []
  try {
    for (const options of list) opened.push({ name: options.name, embedder: await openEmbedder(options) })
  } catch (error) {
    for (const { embedder } of opened) await embedder.close()
    throw error
  }
  return createScoring(opened)
}

/**
 * Identifies scorers without opening their models, so a machine without a GPU can identify those of a machine with one.
 * Servers are asked which models they run.
 *
 * @throws as `openScorer`, except for errors that only opening a model reveals
 */
export async function identifyScorers(list: readonly ScorerOptions[]): Promise<ScorerIdentity[]> {
  checkModelLogin(list.flatMap(({ server }) => (server ? [server.url] : [])))
  const identities: ScorerIdentity[] = []
  for (const options of list) {
    const engine = engineFor(options)
    const { found, preprocessing } = await readModel(options, engine)
    const fingerprint = scorerFingerprint(preprocessing, await engine.fingerprint(found, options))
    identities.push({ name: options.name, fingerprint, model: found.identity })
  }
  return identities
}

/** Opens a model without the threads that prepare images; see `openScorer`. */
export async function openEmbedder(options: ScorerOptions): Promise<Embedder> {
  const engine = engineFor(options)
  const { found, preprocessing } = await readModel(options, engine)
  return engine.open(found, preprocessing, options)
}

async function readModel(options: ScorerOptions, { files }: Engine) {
  const found = await findModel(options, files)
  const file = join(found.folder, 'preprocessor_config.json')
  return { found, preprocessing: parsePreprocessing(await readFile(file, 'utf8'), file) }
}
