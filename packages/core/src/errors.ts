import { redact } from './redact.ts'

/**
 * One class per decision that a caller makes. `code` is stable and fit for programs; the message is one sentence for a
 * person and says what to do next. Never put a secret into a message: redact where the error is made.
 */
export class SkyscriptError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** What the user gave can't be used (config, file, folder, credentials): stop, say it, exit 1. A retry changes nothing. */
export class InputError extends SkyscriptError {}

/** A map is too old for the changes that there are: only a newer extract helps, and the message says which. */
export class OutdatedError extends InputError {}

/** A service (Earth Engine, storage, Redis, a model hub) did not do its part. `retry` says whether trying later may help. */
export class ServiceError extends SkyscriptError {
  readonly retry: boolean
  /** HTTP status, where there was one. */
  readonly status: number | undefined
  /** Milliseconds to wait, if the service says so; else null. */
  retryAfterMs: number | null

  constructor(
    code: string,
    message: string,
    options: ErrorOptions & { retry: boolean; status?: number; retryAfterMs?: number | null },
  ) {
    super(code, message, options)
    this.retry = options.retry
    this.status = options.status
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}

/** One record can't be used: it is dropped and counted under `code`, and the run continues. */
export class DataFault extends SkyscriptError {}

/** The sentence of any thrown value, redacted. */
export function messageOf(error: unknown): string {
  return redact(error instanceof Error ? error.message : String(error))
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such folder',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  EEXIST: 'a file is in the way',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host could not be looked up',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'there was no answer in time',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOSPC: 'the disk is full',
  // undici's
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_CONNECT_TIMEOUT: 'there was no answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'there was no answer in time',
  UND_ERR_BODY_TIMEOUT: 'there was no answer in time',
}

/** Why the system refused something, in words instead of codes: `there is no such file`. Redacted. */
export function systemReason(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  return (typeof code === 'string' && SYSTEM_REASONS[code]) || messageOf(error)
}

/** An error as plain data, for a message to another thread: structured cloning would keep neither class nor fields. */
export interface ErrorData {
  readonly kind: 'input' | 'service' | 'data' | 'other'
  readonly message: string
  /** Stable code of ours, or the system's (`ENOSPC`); null without one. */
  readonly code: string | null
  readonly retry: boolean
  readonly status: number | null
  /** Of errors that are not ours, for the person who fixes the bug. */
  readonly stack: string | null
}

/** What a thread sends in place of an error that it threw; redacted. */
export function errorToData(error: unknown): ErrorData {
  const ours = error instanceof SkyscriptError
  const { code, stack } = error as { code?: unknown; stack?: unknown }
  return {
    kind:
      error instanceof InputError
        ? 'input'
        : error instanceof ServiceError
          ? 'service'
          : error instanceof DataFault
            ? 'data'
            : 'other',
    message: messageOf(error),
    code: typeof code === 'string' ? code : null,
    retry: error instanceof ServiceError && error.retry,
    status: error instanceof ServiceError ? (error.status ?? null) : null,
    stack: !ours && typeof stack === 'string' ? redact(stack) : null,
  }
}

/** The error that `errorToData` was given: of the same class, with the same code and the same decision about a retry. */
export function errorFromData({ kind, message, code, retry, status, stack }: ErrorData): Error {
  if (kind === 'input') return new InputError(code!, message)
  if (kind === 'data') return new DataFault(code!, message)
  if (kind === 'service') return new ServiceError(code!, message, { retry, ...(status !== null && { status }) })
  const error: NodeJS.ErrnoException = new Error(message)
  if (code !== null) error.code = code
  if (stack !== null) error.stack = stack
  return error
}

/** The code and sentence of whatever a job threw. A fault in our code has the code `internal-error`. */
export function failureOf(error: unknown): { code: string; message: string } {
  if (error instanceof SkyscriptError) return { code: error.code, message: messageOf(error) }
  const kind = error instanceof Error ? `${error.name}: ` : ''
  return { code: 'internal-error', message: `${kind}${messageOf(error)}` }
}
