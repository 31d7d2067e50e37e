import { ServiceError } from '@skyscript/core'

/** What requests cost: Earth Engine Compute Units times seconds, https://developers.google.com/earth-engine/guides/computation_overview */
export interface EecuUse {
  readonly eecuSeconds: number
  readonly requests: number
  readonly pixels: number
}

/** What all processes of a project used in the current month. */
export interface EecuLedger {
  read(): Promise<EecuUse>
  add(use: EecuUse): Promise<void>
}

export interface EecuOptions {
  readonly ledger: EecuLedger
  /** Monthly budget in EECU-seconds; null: no limit. */
  readonly maxSeconds: number | null
  readonly project: string
}

/** Profiles requested from Earth Engine together. */
const BATCH = 50
/** Maximum time a profile waits for others to fill the batch. */
const BATCH_MS = 2_000
/** How long a reading of the shared ledger counts as current. */
const FRESH_MS = 5_000
/** EECU-seconds assumed for a request of unknown cost: somewhat more than cutting a small image out of one asset. */
const ASSUMED_SECONDS = 0.5

export interface EecuMeter {
  /**
   * Whether the budget covers one more request; false if it depends on profiles still pending: call `settle` first.
   *
   * @throws ServiceError `eecu-budget-used`
   */
  hasMore(): Promise<boolean>
  /** @param profile profile id from the response; null if it had none */
  note(profile: string | null, pixels: number): void
  /** Fetches all profiles noted so far. */
  settle(): Promise<void>
  /** What this meter counted, without other processes. */
  readonly use: EecuUse
}

/** @param profiles requests the table for some profiles from Earth Engine */
export function createEecuMeter(
  { ledger, maxSeconds, project }: EecuOptions,
  profiles: (ids: readonly string[]) => Promise<unknown>,
): EecuMeter {
  let pending: { profile: string | null; pixels: number }[] = []
  let underWay = 0
  let use: EecuUse = { eecuSeconds: 0, requests: 0, pixels: 0 }
  let month: { total: EecuUse; at: number } | undefined
  let timer: NodeJS.Timeout | undefined
  const settling = new Set<Promise<void>>()

  const meanSeconds = () => {
    const known = use.requests > 0 ? use : month?.total
    return known && known.requests > 0 ? known.eecuSeconds / known.requests : ASSUMED_SECONDS
  }

  const resolve = async (batch: typeof pending) => {
    underWay += batch.length
    const ids = batch.flatMap(({ profile }) => (profile === null ? [] : [profile]))
    // Failing to measure must not fail the request: requests without a profile are charged like those with one.
    const told = ids.length === 0 ? null : await profiles(ids).then(parseProfiles, () => null)
    const unknown = batch.length - (told === null ? 0 : ids.length)
    const eecuSeconds = (told ?? 0) + unknown * meanSeconds()
    const own = { eecuSeconds, requests: batch.length, pixels: batch.reduce((sum, { pixels }) => sum + pixels, 0) }
    underWay -= batch.length
    use = sumOf(use, own)
    if (month) month = { ...month, total: sumOf(month.total, own) }
    await ledger.add(own)
  }
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    if (pending.length === 0) return
    const settled = resolve(pending).finally(() => settling.delete(settled))
    pending = []
    settled.catch(() => {})
    settling.add(settled)
  }

  return {
    get use() {
      return use
    },
    async hasMore() {
      if (maxSeconds === null) return true
      if (month === undefined || performance.now() - month.at > FRESH_MS) {
        // Waiting requests continue with the last known usage.
        if (month) month = { ...month, at: performance.now() }
        month = { total: await ledger.read(), at: performance.now() }
      }
      const used = month.total.eecuSeconds
      const open = pending.length + underWay
      if (used + open * meanSeconds() < maxSeconds) return true
      if (used < maxSeconds && open > 0) return false
      const hours = (seconds: number) => Number((seconds / 3600).toPrecision(3))
      throw new ServiceError(
        'eecu-budget-used',
        `Project ${project} has used ${hours(used)} of ${hours(maxSeconds)} EECU-hours of this month; run the same command again next month, or with a larger imagery.earthEngine.maxEecuHours.`,
        { retry: false },
      )
    },
    note(profile, pixels) {
      pending.push({ profile, pixels })
      if (pending.length >= BATCH) flush()
      else timer ??= setTimeout(flush, BATCH_MS).unref()
    },
    async settle() {
      flush()
      await Promise.all(settling)
    },
  }
}

export const sumOf = (a: EecuUse, b: EecuUse): EecuUse => ({
  eecuSeconds: a.eecuSeconds + b.eecuSeconds,
  requests: a.requests + b.requests,
  pixels: a.pixels + b.pixels,
})

/**
 * The EECU-seconds of a profile table: the sum of its first column. null if the text is not such a table.
 *
 * @param text ` EECU·s PeakMem  Count  Description`, then one line per operation
 */
export function parseProfiles(text: unknown): number | null {
  const [header, ...lines] = typeof text === 'string' ? text.trimEnd().split('\n') : []
  if (header === undefined || !/^\s*EECU/.test(header)) return null
  let seconds = 0
  for (const line of lines) {
    const first = Number(line.trimStart().split(/\s/)[0]!.replaceAll(',', ''))
    if (Number.isFinite(first) && first > 0) seconds += first
  }
  return seconds
}
