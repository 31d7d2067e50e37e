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

export const badRequest = (message: string): ApiError => new ApiError(400, message)

export const assetNotFound = (what: string, id: string): ApiError =>
  new ApiError(404, `${what} '${id}' not found (does not exist or caller does not have access).`)
