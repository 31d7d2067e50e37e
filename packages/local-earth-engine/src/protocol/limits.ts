/** What one project may ask for (Earth Engine quotas page); beyond it answers are errors. */
export interface Limits {
  /** Requests in progress at once, and started within one second. */
  readonly concurrent: number
  readonly perSecond: number
  /** Uncompressed bytes of one computePixels. */
  readonly pixelBytes: number
  /** Pixels a side. */
  readonly side: number
  /** Pixels that one computation has the memory for. Infinity by default: there it depends on the expression. */
  readonly memoryPixels: number
  /** Bytes of a request's body. */
  readonly payloadBytes: number
}

/** Google's own limits. */
export const LIMITS: Limits = {
  concurrent: 40,
  perSecond: 100,
  pixelBytes: 50_331_648,
  side: 32_768,
  memoryPixels: Number.POSITIVE_INFINITY,
  payloadBytes: 10 * 1024 * 1024,
}

/** Earth Engine's own sentences for too much. */
export const TOO_MANY_REQUESTS =
  'Too Many Requests: Request was rejected because the request rate or concurrency limit was exceeded.'
export const OUT_OF_MEMORY = 'User memory limit exceeded.'
export const TIMED_OUT = 'Computation timed out.'
export const TOO_MANY_AGGREGATIONS = 'Too many concurrent aggregations.'

/** Counts requests in progress and started within the last second. */
export function requestMeter(limits: Limits) {
  const starts: number[] = []
  let current = 0
  let peak = 0
  return {
    get current() {
      return current
    },
    get peak() {
      return peak
    },
    /** Whether one more may start at `now` (milliseconds); if so it counts until `leave`. */
    enter(now: number): boolean {
      while (starts.length > 0 && starts[0]! <= now - 1000) starts.shift()
      if (current >= limits.concurrent || starts.length >= limits.perSecond) return false
      starts.push(now)
      current++
      peak = Math.max(peak, current)
      return true
    },
    leave() {
      current--
    },
  }
}
