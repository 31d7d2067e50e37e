import { OutdatedError, ServiceError } from '@skyscript/core'

/** `partial`: some objects failed for now. `outdated`: only a newer extract brings the map up to date. */
export const EXIT = { whole: 0, failed: 1, partial: 2, outdated: 3 } as const

/** Of a command that threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof OutdatedError) return EXIT.outdated
  return isOutage(error) ? EXIT.partial : EXIT.failed
}

/** A service, or the files of an imagery source, can't be reached for now: the same command resumes later. */
export const isOutage = (error: unknown): boolean =>
  error instanceof ServiceError && (error.code === 'service-unavailable' || error.code.startsWith('imagery-'))
