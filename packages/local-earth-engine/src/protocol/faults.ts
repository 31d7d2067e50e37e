import { InputError, seededFraction } from '@skyscript/core'
import { ApiError, badRequest } from './api-error.ts'
import { OUT_OF_MEMORY, TIMED_OUT, TOO_MANY_AGGREGATIONS, TOO_MANY_REQUESTS } from './limits.ts'

/** Faults to inject, in the order in which shares of the requests are given to them. */
export const FAULT_KINDS = [
  '429',
  '429-retry-after',
  '500',
  '503',
  'hang',
  'hang-body',
  'cut',
  'html',
  'empty',
  'memory',
  'timed-out',
  'aggregations',
  'restricted',
] as const
/** One of them. */
export type FaultKind = (typeof FAULT_KINDS)[number]

const HTML_PAGE =
  '<!DOCTYPE html><html><head><title>Error</title></head><body><p>The service is temporarily unavailable.</p></body></html>'

/**
 * What a request gets instead of its answer: an error, a page, or nothing until the client gives up. The other kinds
 * change the good answer: `cut` ends the connection half way through it, `hang-body` stops there, and `restricted`
 * adds the header of a project in restricted mode.
 */
export const SPOILT: Readonly<Partial<Record<FaultKind, ApiError | Page | 'hang'>>> = {
  '429': new ApiError(429, TOO_MANY_REQUESTS),
  '429-retry-after': new ApiError(429, TOO_MANY_REQUESTS, { 'Retry-After': '1' }),
  '500': new ApiError(500, 'An internal error occurred.'),
  '503': new ApiError(503, 'The service is currently unavailable.'),
  memory: badRequest(OUT_OF_MEMORY),
  'timed-out': badRequest(TIMED_OUT),
  aggregations: new ApiError(429, TOO_MANY_AGGREGATIONS),
  html: { contentType: 'text/html; charset=utf-8', body: Buffer.from(HTML_PAGE) },
  empty: { contentType: 'application/json; charset=UTF-8', body: Buffer.alloc(0) },
  hang: 'hang',
}

interface Page {
  readonly contentType: string
  readonly body: Buffer
}

/** Which share of the requests is spoilt, and how. */
export interface FaultOptions {
  readonly shares: Readonly<Partial<Record<FaultKind, number>>>
  /** Default 51. */
  readonly seed?: number
  /**
   * `content` (the default): whether a request is spoiled follows from what it asks and how often that was asked, so a
   * run has the same faults in whatever order requests come. `count`: it follows from the request's number.
   */
  readonly by?: 'content' | 'count'
}

/**
 * Reads `429:0.1,500:0.05,hang:0.01,seed:7,by:count`.
 *
 * @throws InputError `bad-faults`
 */
export function parseFaults(text: string): FaultOptions {
  const shares: Partial<Record<FaultKind, number>> = {}
  let seed: number | undefined
  let by: FaultOptions['by']
  for (const part of text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)) {
    const [name, value = ''] = part.split(':')
    const share = Number(value)
    const kind = FAULT_KINDS.find((each) => each === name)
    if (kind && value !== '' && share >= 0 && share <= 1) shares[kind] = share
    else if (name === 'seed' && Number.isSafeInteger(share)) seed = share
    else if (name === 'by' && (value === 'content' || value === 'count')) by = value
    else
      throw new InputError(
        'bad-faults',
        `"${part}" is no fault: write kind:share with a share from 0 to 1 and one of ${FAULT_KINDS.join(', ')}; also seed:N, by:content or by:count.`,
      )
  }
  const total = Object.values(shares).reduce((a, b) => a + b, 0)
  if (total > 1) throw new InputError('bad-faults', `The shares of faults add up to ${total}; they must not exceed 1.`)
  return { shares, ...(seed !== undefined && { seed }), ...(by !== undefined && { by }) }
}

/** Decides request by request which fault it gets, if any. */
export function faultPlan({ shares, seed = 51, by = 'content' }: FaultOptions): (content: string) => FaultKind | null {
  const times = new Map<string, number>()
  let count = 0
  return (content) => {
    count++
    const key = by === 'count' ? '' : content
    const time = by === 'count' ? count : (times.get(key) ?? 0) + 1
    if (by === 'content') times.set(key, time)
    let left = seededFraction(seed, 'fault', `${time}\n${key}`)
    for (const kind of FAULT_KINDS) {
      left -= shares[kind] ?? 0
      if (left < 0) return kind
    }
    return null
  }
}
