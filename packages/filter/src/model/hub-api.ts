import { InputError, retrying, ServiceError, SkyscriptError } from '@skyscript/core'
import { httpFetch, isPassing, type Response, reasonOf, retryAfterOf } from '@skyscript/http'
import { missingFiles, optionalFiles } from './model-folder.ts'

/** One file of a model at the hub, and how to verify its bytes. */
export interface HubFile {
  readonly name: string
  /** In bytes. */
  readonly size: number
  /** sha256 of the content, if the hub keeps the file in large file storage; else null. */
  readonly sha256: string | null
  /** Git blob hash, `sha1("blob <size>\0" + content)`, of a file that is stored in git itself; else null. */
  readonly gitBlob: string | null
}

/** How long to wait for a hub. */
export interface Patience {
  /** A hub that sends nothing for this many ms counts as unreachable. */
  readonly silence: number
  /** Milliseconds before the second attempt; doubled before each later one. */
  readonly pause: number
}

export const PATIENCE: Patience = { silence: 60_000, pause: 500 }

/** Long downloads lose their connection now and then. */
const TRIES = 5

/** Retries after errors that may be temporary. */
export const tried = <T>({ pause }: Patience, work: () => Promise<T>): Promise<T> =>
  retrying(work, { tries: TRIES, pauseMs: pause })

/** Aborts a request when no data has arrived for a while. A total time limit would end slow, long downloads. */
export interface Watch {
  readonly signal: AbortSignal
  /** Call when data arrives. */
  heard(): void
  end(): void
}

export function watchSilence({ silence }: Patience): Watch {
  const controller = new AbortController()
  const timer = setTimeout(() => {
    controller.abort(new Error(`nothing came for ${silence / 1000} s`))
  }, silence)
  return { signal: controller.signal, heard: () => void timer.refresh(), end: () => clearTimeout(timer) }
}

/** What every hub request needs. */
export interface HubRequest {
  readonly id: string
  readonly hub: string
  /** Sent only to the hub; null if there is none. */
  readonly token: string | null
  readonly patience: Patience
}

/** A GET request to the hub. Follows redirects to the hub's file servers, without the token. */
export async function hubGet(
  { id, hub, token }: HubRequest,
  path: string,
  { signal, headers = {} }: { readonly signal: AbortSignal; readonly headers?: Readonly<Record<string, string>> },
): Promise<Response> {
  try {
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` }
    return await httpFetch(`${hub}${path}`, { headers: { ...headers, ...authorization }, signal })
  } catch (error) {
    throw error instanceof SkyscriptError ? error : unreachable(id, hub, error)
  }
}

export function unreachable(id: string, hub: string, error: unknown): ServiceError {
  return new ServiceError(
    'hub-unreachable',
    `The model hub ${hub} can't be reached (${reasonOf(error)}) and ${id} is not whole in the cache; ` +
      'connect for the first use, or copy the model to a folder and name that folder.',
    { retry: true, cause: error },
  )
}

/** Throws an error that explains a refused request. */
export async function refuse({ id, hub }: HubRequest, what: string, response: Response): Promise<never> {
  await response.body?.cancel().catch(() => undefined)
  const { status } = response
  if (status === 401 || status === 403 || status === 404) {
    throw new InputError(
      'unknown-model',
      `The model hub ${hub} gives no ${what} (HTTP ${status}); check the model's name, or set HF_TOKEN if it is not public, or write ./${id} if it is a folder.`,
    )
  }
  const retry = isPassing(status)
  const advice = retry ? 'try again later' : 'check that it is a model hub'
  throw new ServiceError('hub-error', `The model hub ${hub} answered HTTP ${status} for ${what}; ${advice}.`, {
    ...{ retry, status },
    retryAfterMs: retryAfterOf(response.headers),
  })
}

/**
 * Resolves a revision to a commit, and lists its CLIP files.
 * `GET /api/models/{id}/revision/{revision}?blobs=true` (hub API, "model info").
 */
export async function hubFiles(
  request: HubRequest & { readonly revision: string; readonly needed: readonly string[] },
): Promise<{ commit: string; files: HubFile[] }> {
  const { id, hub, revision, needed } = request
  const what = `model ${id} at revision ${revision}`
  const path = `/api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`
  const info = await tried(request.patience, () => hubJson(request, path, what))
  const { sha, siblings } = (info ?? {}) as { sha?: unknown; siblings?: unknown }
  if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) {
    throw new ServiceError(
      'hub-error',
      `${hub} did not say what ${what} consists of; check that it is a model hub and that nothing between asks for a login.`,
      { retry: false },
    )
  }
  const known = new Map(siblings.flatMap((sibling) => asHubFile(sibling)).map((file) => [file.name, file]))
  const missing = needed.filter((name) => !known.has(name))
  if (missing.length > 0) throw missingFiles(`The hub's ${id} at revision ${revision}`, missing)
  const names = [...needed, ...optionalFiles(needed)].sort()
  return { commit: sha, files: names.flatMap((name) => known.get(name) ?? []) }
}

/** Null if the response is not JSON: not a hub's address, or a network that requires a login first. */
async function hubJson(request: HubRequest, path: string, what: string): Promise<unknown> {
  const watch = watchSilence(request.patience)
  try {
    const response = await hubGet(request, path, watch)
    if (!response.ok) await refuse(request, what, response)
    const text = await response.text().catch((error: unknown) => {
      throw unreachable(request.id, request.hub, error)
    })
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  } finally {
    watch.end()
  }
}

function asHubFile(sibling: unknown): HubFile[] {
  const { rfilename, size, blobId, lfs } = (sibling ?? {}) as {
    rfilename?: unknown
    size?: unknown
    blobId?: unknown
    lfs?: { sha256?: unknown; size?: unknown } | null
  }
  if (typeof rfilename !== 'string') return []
  const bytes = lfs?.size ?? size
  const sha256 = typeof lfs?.sha256 === 'string' && /^[0-9a-f]{64}$/.test(lfs.sha256) ? lfs.sha256 : null
  const gitBlob = !lfs && typeof blobId === 'string' && /^[0-9a-f]{40}$/.test(blobId) ? blobId : null
  // Without a hash a download can't be verified, so the file counts as missing.
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0 || (sha256 === null && gitBlob === null)) return []
  return [{ name: rfilename, size: bytes as number, sha256, gitBlob }]
}
