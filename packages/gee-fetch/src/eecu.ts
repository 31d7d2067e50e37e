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
  /** Of the month, in EECU-seconds; null: nothing ends. */
  readonly maxSeconds: number | null
  readonly project: string
}

/** Asked of Earth Engine together. */
const BATCH = 50
/** The longest that a profile waits for others to be asked about with it. */
const BATCH_MS = 2_000
/** How long what others used counts as known. */
const FRESH_MS = 5_000
/** EECU-seconds of a request of which nothing is known: what cutting a small image out of one asset takes, and more. */
const ASSUMED_SECONDS = 0.5

export interface EecuMeter {
  /**
   * Whether there is budget for one more request; false where that hangs on what is not known yet, so `settle` first.
   *
   * @throws ServiceError `eecu-budget-used`
   */
  hasMore(): Promise<boolean>
  /** @param profile of the answer; null where it had none */
  note(profile: string | null, pixels: number): void
  /** Asks for all profiles that were noted. */
  settle(): Promise<void>
  /** Of this meter alone. */
  readonly use: EecuUse
}

/** @param profiles asks Earth Engine for the table of some profiles */
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
    // A budget must not fail what it counts: requests without a profile are charged as those with one.
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
        // Those that wait for the answer go on with what was known.
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
 * The EECU-seconds of a table of profiles: its first column, added up. null for a text that is no such table.
 *
 * @param text ` EECU·s PeakMem  Count  Description`, and a line for each thing that was done
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
