import { basename, resolve } from 'node:path'
import { InputError, isLoopback } from '@skyscript/core'
import type { ScorerOptions } from '../scorer-options.ts'
import { PATIENCE } from './hub-api.ts'
import { bytesFromHub, fromHub, type HubModel } from './hub-cache.ts'
import { MODEL_FILES, type ModelFolder, readModelFolder } from './model-folder.ts'

const DEFAULT_HUB = 'https://huggingface.co'

/** The hub's own rules for names; a name that starts with a dot is a path. */
const HUB_ID = /^([A-Za-z0-9_][\w.-]{0,95}\/[A-Za-z0-9_][\w.-]{0,95})(?:@([\w][\w./-]{0,99}))?$/

/** Finds a model's files: in the folder that `model` names, or in the hub cache, downloading what is missing. */
export async function findModel(
  options: Omit<ScorerOptions, 'name'>,
  needed: readonly string[] = MODEL_FILES,
): Promise<ModelFolder> {
  const hubModel = hubModelOf(options, needed)
  if (hubModel !== null) return fromHub(hubModel)
  const folder = resolve(options.model)
  return readModelFolder(folder, { id: basename(folder), revision: null }, needed)
}

/**
 * Bytes to download from the hub; 0 for a folder, and for a fully cached model.
 *
 * @throws as the download
 */
export async function bytesToDownload(
  options: Omit<ScorerOptions, 'name'>,
  needed: readonly string[] = MODEL_FILES,
): Promise<number> {
  const hubModel = hubModelOf(options, needed)
  return hubModel === null ? 0 : bytesFromHub(hubModel)
}

/** The hub model that the options name; null for a folder. */
function hubModelOf(
  { model, cacheFolder, progress, ...options }: Omit<ScorerOptions, 'name'>,
  needed: readonly string[],
): HubModel | null {
  const match = HUB_ID.exec(model)
  if (match === null) return null
  const hub = hubUrl(options.hub ?? process.env.HF_ENDPOINT ?? DEFAULT_HUB)
  const { protocol, hostname } = new URL(hub)
  return {
    id: match[1]!,
    revision: match[2] ?? 'main',
    hub,
    needed,
    cacheFolder,
    // Never unencrypted over a network.
    token: protocol === 'https:' || isLoopback(hostname) ? (process.env.HF_TOKEN ?? null) : null,
    patience: PATIENCE,
    ...(progress && { progress }),
  }
}

function hubUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '') {
    throw new InputError(
      'bad-hub',
      'The address of the model hub (HF_ENDPOINT) must be an http(s) URL without a login.',
    )
  }
  return url.href.replace(/\/+$/, '')
}
