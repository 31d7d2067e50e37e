import { ServiceError } from '@skyscript/core'
import { pause } from './pause.ts'
import { isServiceFailure } from './refusals.ts'
import { turn } from './turn.ts'

/** Pauses between two probes of a service that is down: short at first, so that a short outage costs little. */
const FIRST_PROBE_MS = 1_000
const LONGEST_PROBE_MS = 20_000

/**
 * Tracks whether a service is down. All requests of a process to one service share this state: during an outage they
 * wait, and one at a time probes whether the service is back.
 */
export interface Outage {
  /**
   * Sends a request; during an outage only once the service is back, or as the probe.
   *
   * @throws ServiceError `service-unavailable` if the service has been down for longer than the patience
   */
  send<T>(request: (signal?: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>
  /**
   * Called by a request that failed at every attempt. Returns `away` if the service is down, which begins an outage, or
   * `well` if it has answered another request in the meantime or answers its last good request again. Returns `unknown`
   * if it never answered (the address may be wrong), or if there is no patience.
   *
   * @param since when the last attempt began, on the clock of `performance.now`
   */
  judge(error: ServiceError, since: number, signal?: AbortSignal): Promise<'away' | 'well' | 'unknown'>
}

/** A one-line message about a service for the user. */
export interface ServiceNotice {
  readonly service: string
  readonly text: string
  /** Whether the problem is over. */
  readonly isOver: boolean
}

export interface Outages {
  /** @param label the service's name in messages, e.g. `Earth Engine` */
  of(service: string, label: string, patienceMs: number): Outage
  /** Reports a problem of a service that is not down, once until it is over. */
  notice(notice: ServiceNotice): void
}

interface State {
  readonly label: string
  /** When the first request since the last answer failed; null while the service answers. */
  failingSince: number | null
  /** The last failure, for messages. */
  failure: string
  /** When the latest answered request was sent, on the clock of `performance.now`. */
  answeredFrom: number
  away: boolean
  isProbed: boolean
  probeMs: number
  readonly waiting: Set<() => void>
  /** Repeats the last request that was answered. */
  control: (() => Promise<unknown>) | null
  controlling: Promise<boolean> | null
}

/** @param tell called once when a service goes down and once when it is back */
export function createOutages(tell: (notice: ServiceNotice) => void = () => {}): Outages {
  const states = new Map<string, State>()
  const troubles = new Set<string>()
  return {
    of(service, label, patienceMs) {
      const state = states.get(service) ?? newState(label)
      states.set(service, state)
      return outageOf(state, patienceMs, (text, isOver) => tell({ service, text, isOver }))
    },
    notice(notice) {
      if (troubles.has(notice.service) !== notice.isOver) return
      if (notice.isOver) troubles.delete(notice.service)
      else troubles.add(notice.service)
      tell(notice)
    },
  }
}

const newState = (label: string): State => ({
  label,
  failingSince: null,
  failure: '',
  answeredFrom: Number.NEGATIVE_INFINITY,
  away: false,
  isProbed: false,
  probeMs: FIRST_PROBE_MS,
  waiting: new Set(),
  control: null,
  controlling: null,
})

function outageOf(state: State, patienceMs: number, tell: (text: string, isOver: boolean) => void): Outage {
  const wake = (count = Number.POSITIVE_INFINITY) => {
    for (const each of [...state.waiting].slice(0, count)) each()
  }
  /** @param sentAt when the request was sent; one sent before others failed says nothing about the service now */
  const answered = (sentAt: number) => {
    state.answeredFrom = Math.max(state.answeredFrom, sentAt)
    if (state.failingSince !== null && sentAt < state.failingSince) return
    state.failingSince = null
    state.probeMs = FIRST_PROBE_MS
    if (!state.away) return
    state.away = false
    tell(`${state.label} answers again.`, true)
    wake()
  }
  const failed = (error: ServiceError) => {
    state.failingSince ??= performance.now()
    const isUseless = /-bad-(answer|pixels)$/.test(error.code)
    state.failure =
      error.status !== undefined && !isUseless
        ? `has answered ${error.status}`
        : isUseless
          ? 'has sent no usable answer'
          : 'has not answered'
  }
  const awayMs = () => (state.failingSince === null ? 0 : performance.now() - state.failingSince)

  /** Waits out an outage; true for the request that has to probe. */
  const enter = async (signal?: AbortSignal): Promise<boolean> => {
    while (state.away) {
      if (!state.isProbed) {
        state.isProbed = true
        try {
          await pause(Math.max(0, Math.min(state.probeMs, patienceMs - awayMs())), signal)
        } catch (error) {
          state.isProbed = false
          wake(1)
          throw error
        }
        return true
      }
      if (awayMs() >= patienceMs) throw unavailable()
      await turn(state.waiting, signal, Math.max(0, patienceMs - awayMs()))
    }
    return false
  }
  const unavailable = () =>
    new ServiceError(
      'service-unavailable',
      `${state.label} ${state.failure} for ${duration(awayMs())} (imagery.patience); run the same command again to resume.`,
      { retry: false },
    )

  return {
    async send(request, signal) {
      const isProbe = await enter(signal)
      const sentAt = performance.now()
      try {
        const answer = await request(signal)
        answered(sentAt)
        state.control = () => request()
        return answer
      } catch (error) {
        if (isServiceFailure(error)) failed(error)
        else if (error instanceof ServiceError && error.status !== undefined) answered(sentAt)
        if (isProbe && state.away && awayMs() >= patienceMs && !signal?.aborted) throw unavailable()
        throw error
      } finally {
        if (isProbe) {
          state.isProbed = false
          state.probeMs = Math.min(LONGEST_PROBE_MS, state.probeMs * 2)
          wake(1)
        }
      }
    },
    async judge(error, since, signal) {
      if (state.away) return 'away'
      const isSilent = error.status === undefined && state.answeredFrom === Number.NEGATIVE_INFINITY
      if (patienceMs === 0 || isSilent) return 'unknown'
      if (state.answeredFrom > since) return 'well'
      const { control } = state
      if (control !== null) {
        const sentAt = performance.now()
        state.controlling ??= control()
          .then(
            () => true,
            (error: unknown) => !isServiceFailure(error),
          )
          .finally(() => {
            state.controlling = null
          })
        if (await state.controlling) {
          answered(sentAt)
          return 'well'
        }
        signal?.throwIfAborted()
      }
      if (!state.away) {
        state.away = true
        state.failingSince ??= since
        tell(
          `${state.label} ${state.failure} for ${duration(awayMs())}; waiting, up to ${duration(patienceMs)}.`,
          false,
        )
      }
      return 'away'
    },
  }
}

const duration = (ms: number): string =>
  ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Number((ms / 60_000).toFixed(1))} min`
