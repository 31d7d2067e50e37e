import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataFault } from '@skyscript/core'
import { type Preprocessing, parsePreprocessing } from './clip/preprocessor-config.ts'
import type { Embedder } from './embedder.ts'
import { findModel } from './model/find-model.ts'
import { LOCAL_FILES, MODEL_FILES, type ModelFolder } from './model/model-folder.ts'
import type { ScorerOptions } from './scorer-options.ts'
import { checkModelLogin } from './scorers/model-login.ts'
import { onnxFingerprint, openOnnxClip } from './scorers/onnx-clip.ts'
import { openRemoteClip, remoteFingerprint } from './scorers/remote-clip.ts'
import type { ScorePair } from './scoring.ts'
import { createScoring, type NamedEmbedder, type ScorerIdentity, type Scoring, scorerFingerprint } from './scoring.ts'

/** Image + caption -> similarity. */
export interface Scorer extends ScorerIdentity {
  /**
   * Similarities of pairs in their order: cosines in [-1, 1] as 32-bit floats. A pair that can't be scored gives its
   * own DataFault (`unreadable-image`, `empty-caption`, `similarity-not-a-number`), and the others are scored.
   *
   * @throws the signal's reason once it is aborted; ServiceError where a server that runs the model fails
   */
  score(pairs: readonly ScorePair[], signal?: AbortSignal): Promise<(number | DataFault)[]>
  /** Ends the threads and frees the model; calls that are under way fail. */
  close(): Promise<void>
}

/**
 * Opens a scorer; a hub's model is downloaded at first use and taken from `cacheFolder`, without the network, from then
 * on.
 *
 * @throws InputError `missing-model-file` or `bad-model` where the folder can't be used, `unknown-model` where the hub
 * has no such model, `no-such-device`
 * @throws ServiceError `hub-unreachable`, `hub-error` or `hub-corrupt` where a download fails, `model-server-failed`
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

/** Opens several scorers that are asked together, as `openScorer` opens one. */
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
 * What scorers are, without opening their models: a machine that has no GPU can tell what one that has will do. A server
 * is asked which models it runs.
 *
 * @throws as `openScorer`, but for what only opening a model shows
 */
export async function identifyScorers(list: readonly ScorerOptions[]): Promise<ScorerIdentity[]> {
  checkModelLogin(list.flatMap(({ server }) => (server ? [server.url] : [])))
  const identities: ScorerIdentity[] = []
  for (const options of list) {
    const { server = null, device = 'cpu', name } = options
    const { found, preprocessing } = await readModel(options)
    const model = server === null ? onnxFingerprint(found.identity, device) : await remoteFingerprint(found, server)
    identities.push({ name, fingerprint: scorerFingerprint(preprocessing, model), model: found.identity })
  }
  return identities
}

async function openEmbedder(options: ScorerOptions): Promise<Embedder> {
  const { server = null, device = 'cpu', batch = null } = options
  const { found, preprocessing } = await readModel(options)
  return server === null
    ? openOnnxClip(found, preprocessing, { device, batch })
    : openRemoteClip(found, preprocessing, { server, batch })
}

async function readModel(options: ScorerOptions): Promise<{ found: ModelFolder; preprocessing: Preprocessing }> {
  const found = await findModel(options, options.server ? LOCAL_FILES : MODEL_FILES)
  const file = join(found.folder, 'preprocessor_config.json')
  return { found, preprocessing: parsePreprocessing(await readFile(file, 'utf8'), file) }
}
