/**
 * What a failed request means for its image, in one place. Earth Engine publishes no list of its errors; the sentences
 * here come from its debugging and quota guides and from its client library's issues
 * (https://developers.google.com/earth-engine/guides/debugging, https://developers.google.com/earth-engine/guides/usage).
 */
import { InputError, ServiceError, SkyscriptError } from '@skyscript/core'
import { isPassing } from '@skyscript/http'

/**
 * - `image`: final for this image (gone, damaged, missing bands); the next candidate may be used
 * - `build`: final for the build (no permission, wrong project, bad setting); the build stops with one sentence
 * - `too-much`: the request needs too much memory or time; smaller requests may succeed
 * - `later`: any other failure of a service; the image is recorded as failed and the next build retries it
 */
export type Refusal = 'image' | 'build' | 'too-much' | 'later'

/** The class of a failure, or null if no service caused it: a fault in our code. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof InputError) return 'build'
  if (!(error instanceof ServiceError)) return error instanceof SkyscriptError ? 'later' : null
  if (TOO_MUCH_CODES.has(error.code)) return 'too-much'
  if (error.retry) return 'later'
  return error.code.startsWith('image-') || isFileGone(error) ? 'image' : 'later'
}

/** The reason code under which a failure of class `image` is counted. */
export const reasonOf = ({ code }: ServiceError): string => (code.startsWith('image-') ? code : 'image-gone')

/**
 * `earth-engine-unclear` is a refusal with an unknown message: its cause may be the size, and smaller requests cost
 * nothing to try.
 */
const TOO_MUCH_CODES = new Set(['earth-engine-too-much', 'earth-engine-timeout', 'earth-engine-unclear'])

const isFileGone = ({ code, status }: ServiceError): boolean =>
  code.startsWith('imagery-') && (status === 404 || status === 410)

/**
 * Whether retrying later may help: access to files may return (signed links, permissions granted later), and servers
 * recover.
 */
export const mayPass = (status: number): boolean => isDenied(status) || isPassing(status)

export const isDenied = (status: number | undefined): boolean => status === 401 || status === 403

/** Failures that mean the service is unhealthy, rather than that it rejects one request: errors, timeouts, useless answers. */
export const isServiceFailure = (error: unknown): error is ServiceError =>
  error instanceof ServiceError &&
  error.retry &&
  error.status !== 429 &&
  !isDenied(error.status) &&
  /^(earth-engine|imagery|token)-/.test(error.code)

const TOO_MUCH = [
  /memory (limit|capacity) exceeded/i,
  /computation timed out/i,
  /too many concurrent aggregations/i,
  /request size .*must be less than/i,
  /payload size exceeds/i,
  /grid dimensions .*must be less than/i,
  /output .*too large/i,
  /response size exceeds/i,
  /accumulating over \d+ elements/i,
  /too many (pixels|values|elements|input images|images)/i,
]
/** Error of an expression on one image: `Image.select: Band pattern 'B4' did not match any bands.` */
const OF_THE_IMAGE = /^Image\.\w+(, argument '\w+')?: |band pattern .* did not match|image has no bands/i
const IMAGE_GONE = /^(Image\.load: |Image asset ).*not found/i
const ASSET_GONE = /\b(asset|collection|table)\b.* (not found|does not exist)/i
/** Permission for one asset, not for the project: `Permission 'earthengine.assets.get' denied on resource '...'`. */
const ASSET_DENIED = /'?earthengine\.assets\.\w+'? denied|denied on resource '?projects\/[^/']+\/assets\//i
const QUOTA = /rate limit|quota exceeded|too many requests/i
const WRONG_PROJECT = /API key not valid|\bproject .*(not found|deleted|invalid|not registered)|\binvalid project/i

/** @param kind kind of request: image errors matter only for pixel requests */
export function earthEngineError(
  status: number,
  said: string,
  { kind, host, project }: { readonly kind: string; readonly host: string; readonly project: string },
): InputError | ServiceError {
  const service = (code: string, retry = false, as = status) =>
    new ServiceError(code, `Earth Engine answered ${status}: ${said}`, { retry, status: as })
  if (status === 401)
    return new InputError(
      'bad-credentials',
      `Earth Engine at ${host} requires credentials (${said}); set imagery.earthEngine.credentials to a file of Google credentials, such as a service account's key.`,
    )
  if (status < 500 && TOO_MUCH.some((pattern) => pattern.test(said))) return service('earth-engine-too-much')
  if (status === 429 || (status === 403 && QUOTA.test(said))) return service('earth-engine-quota', true, 429)
  if (status === 408 || status >= 500) return service('earth-engine-failed', true)
  if (status === 413) return service('earth-engine-too-much')
  if (ASSET_DENIED.test(said))
    return new ServiceError(
      'source-no-access',
      `Earth Engine denies project ${project} an asset (${said}); have it shared with the account, or remove its source from imagery.sources.`,
      { retry: false, status },
    )
  if (status === 403 || WRONG_PROJECT.test(said))
    return new InputError(
      'no-access',
      `Earth Engine refused project ${project} (${said}); set imagery.earthEngine.project to a project that is registered for Earth Engine and that the account may use.`,
    )
  if (kind === 'pixels' && IMAGE_GONE.test(said)) return service('image-gone')
  if (kind === 'pixels' && OF_THE_IMAGE.test(said)) return service('image-refused')
  if (kind !== 'pixels' && ASSET_GONE.test(said))
    return new ServiceError(
      'source-gone',
      `Earth Engine has no such asset (${said}); give its source the id of today, or remove it from imagery.sources.`,
      { retry: false, status: 404 },
    )
  return service(status === 400 ? 'earth-engine-unclear' : 'earth-engine-refused')
}
