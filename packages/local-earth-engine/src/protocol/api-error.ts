import { type ErrorCodec, type ErrorData, errorFromData, errorToData } from '@skyscript/core'

/** An answer other than 200, in the body that Google's APIs give: {error: {code, message, status}}. */
export class ApiError extends Error {
  readonly code: number
  readonly headers: Readonly<Record<string, string>>

  constructor(code: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.name = 'ApiError'
    this.code = code
    this.headers = headers
  }

  get body(): string {
    return JSON.stringify({
      error: { code: this.code, message: this.message, status: STATUS[this.code] ?? 'UNKNOWN' },
    })
  }
}

/** google.rpc.Code names of the HTTP statuses that are used here. */
const STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

/** An answer with status 400. */
export const badRequest = (message: string): ApiError => new ApiError(400, message)

const NOT_FOUND = 'not found (does not exist or caller does not have access).'

/** Of `GET` on an asset. */
export const assetNotFound = (id: string): ApiError => new ApiError(404, `Asset '${id}' ${NOT_FOUND}`)

/** Of an expression that loads an asset: what goes wrong in an expression has status 400 there. */
export const loadNotFound = (what: string, id: string): ApiError => badRequest(`${what} '${id}' ${NOT_FOUND}`)

/** Of `GET` on an asset that is not shared with the account. */
export const assetDenied = (name: string): ApiError =>
  new ApiError(403, `Permission 'earthengine.assets.get' denied on resource '${name}' (or it may not exist).`)

type ApiErrorData = ErrorData | Pick<ApiError, 'code' | 'message' | 'headers'>

/** Brings refusals out of threads whole. */
export const apiErrorCodec: ErrorCodec<ApiErrorData> = {
  toData: (error) =>
    error instanceof ApiError
      ? { code: error.code, message: error.message, headers: error.headers }
      : errorToData(error),
  fromData: (data) => ('headers' in data ? new ApiError(data.code, data.message, data.headers) : errorFromData(data)),
}
