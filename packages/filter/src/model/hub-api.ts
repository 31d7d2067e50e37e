import { InputError, retrying, ServiceError, SkyscriptError } from '@skyscript/core'
import { httpFetch, type Response, reasonOf, retryAfterOf } from '@skyscript/http'
import { missingFiles, optionalFiles } from './model-folder.ts'

/** One file of a model at the hub, with what its bytes must be. */
export interface HubFile {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Of the content, where the hub keeps it in large file storage; else null. */
  readonly sha256: string | null
  /** Git's name of the content, `sha1("blob <size>\0" + content)`, of a file that is kept in git itself; else null. */
  readonly gitBlob: string | null
}

/** How long a hub is waited for. */
export interface Patience {
  /** A hub that says nothing for so long is not there; in ms. */
  readonly silence: number
  /** Before the second try, in ms; twice as long before each later one. */
  readonly pause: number
}

export const PATIENCE: Patience = { silence: 60_000, pause: 500 }

/** Connections of hours break. */
const TRIES = 5

/** Tries again after a fault that may pass. */
export const tried = <T>({ pause }: Patience, work: () => Promise<T>): Promise<T> =>
  retrying(work, { tries: TRIES, pauseMs: pause })

/** Ends a request once nothing has come for a while. A time limit for the whole would cut slow, long downloads. */
export interface Watch {
  readonly signal: AbortSignal
  /** Something came. */
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

/** What every request at the hub needs. */
export interface HubRequest {
  readonly id: string
  readonly hub: string
  /** Sent only to the hub; null without one. */
  readonly token: string | null
  readonly patience: Patience
}

/** A GET at the hub. Redirects to the hub's file servers are followed; the token is left out of them. */
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

/** Throws what a refused request means. */
export async function refuse({ id, hub }: HubRequest, what: string, response: Response): Promise<never> {
  await response.body?.cancel().catch(() => undefined)
  const { status } = response
  if (status === 401 || status === 403 || status === 404) {
    throw new InputError(
      'unknown-model',
      `The model hub ${hub} gives no ${what} (HTTP ${status}); check the model's name, or set HF_TOKEN if it is not public, or write ./${id} if it is a folder.`,
    )
  }
  const retry = status === 408 || status === 429 || status >= 500
  throw new ServiceError('hub-error', `The model hub ${hub} answered HTTP ${status} for ${what}.`, {
    ...{ retry, status },
    retryAfterMs: retryAfterOf(response.headers),
  })
}

/**
 * Asks which commit a revision stands for and which files of a CLIP it has.
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

/** Null where the answer is no JSON: an address that is no hub's, or a network that asks for a login first. */
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
  // Without a hash there is nothing to check a download against: as good as absent.
  if (!Number.isSafeInteger(bytes) || (bytes as number) < 0 || (sha256 === null && gitBlob === null)) return []
  return [{ name: rfilename, size: bytes as number, sha256, gitBlob }]
}
