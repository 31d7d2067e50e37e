/**
 * Times of the layers of map services, whose settings name none: those that the service offered when it was asked first, kept
 * in `work/candidates/times.json`. A time that is added later is used as `imagery.refresh` says, like a newer image.
 */
import { type Config, fingerprint, putJson, redact, type SourceChoice, type Storage } from '@skyscript/core'
import { ANSWERS_FOLDER } from './answers.ts'
import { isDue } from './refresh.ts'
import { getWhole } from './results.ts'

export const TIMES_KEY = `${ANSWERS_FOLDER}times.json`

interface Offer {
  /** Of the layer that is asked about. */
  readonly question: string
  /** ISO 8601 UTC; decides only when newer times are used. */
  readonly asked: string
  readonly times: readonly string[]
}

export interface OfferedTimes {
  /** Sources with their times as they are to be used. @param given as the settings have them */
  settle<S extends SourceChoice>(given: readonly S[], completed: readonly S[]): S[]
  /** Number of newer times that are used from now on, by source. */
  readonly newer: ReadonlyMap<string, number>
  /** Stores those of all sources that were settled. */
  save(): Promise<void>
}

export async function openOfferedTimes(
  storage: Storage,
  refresh: Config['imagery']['refresh'],
  now: Date,
): Promise<OfferedTimes> {
  const known = (await getWhole<Readonly<Record<string, Offer>>>(storage, TIMES_KEY)) ?? {}
  const settled = new Map<string, Offer>()
  const newer = new Map<string, number>()

  function settle<S extends SourceChoice>(given: S, source: S): S {
    if (!isTimed(given) || !isTimed(source) || given.times !== undefined || source.times === undefined) return source
    const { alias, times } = source
    const offer: Offer = { question: questionOf(source), asked: now.toISOString(), times }
    const before = known[alias]
    const old = before?.question === offer.question ? before : null
    // What is offered no longer would be answered with the latest.
    const kept = old?.times.filter((time) => times.includes(time)) ?? []
    const added = old === null ? [] : times.filter((time) => isLater(time, old.times))
    if (old === null || kept.length === 0) settled.set(alias, offer)
    else if (!isDue(refresh, old.asked, now)) settled.set(alias, { ...old, times: kept })
    else if (added.length === 0) settled.set(alias, { ...old, asked: offer.asked, times: kept })
    else {
      settled.set(alias, offer)
      newer.set(alias, added.length)
    }
    return { ...(source as Timed), times: [...settled.get(alias)!.times] } as unknown as S
  }

  return {
    settle: (given, completed) => completed.map((source, i) => settle(given[i]!, source)),
    newer,
    async save() {
      const sorted = [...settled].sort(([a], [b]) => (a < b ? -1 : 1))
      if (settled.size > 0 || Object.keys(known).length > 0)
        await putJson(storage, TIMES_KEY, Object.fromEntries(sorted))
    },
  }
}

type Timed = Extract<SourceChoice, { kind: 'wms' | 'wmts' }>

const isTimed = (source: SourceChoice): source is Timed =>
  typeof source !== 'string' && (source.kind === 'wms' || source.kind === 'wmts')

/** A later time than all that were known; times of one layer are written alike. */
const isLater = (time: string, known: readonly string[]): boolean =>
  known.every((each) => Date.parse(time) > Date.parse(each))

/** Without what may be secret in an address. */
const questionOf = (source: Timed): string =>
  fingerprint(source.kind, redact(source.url.split('?')[0]!), source.kind === 'wms' ? source.layers : source.layer)
