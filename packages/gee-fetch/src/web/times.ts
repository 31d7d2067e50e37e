import { InputError } from '@skyscript/core'
import { type Fault, listed } from './service.ts'

/** More are not one layer's pictures of a place. */
const MOST_TIMES = 500

/**
 * The times of a layer that are used: all of them, or those of the settings.
 *
 * @param values of its time dimension; null without one
 * @throws InputError for times that the layer doesn't have: services answer such requests with the latest picture
 */
export function timesFor(
  stated: readonly string[] | undefined,
  values: string | null,
  alias: string,
  fault: Fault,
): string[] | undefined {
  if (stated === undefined) return timesOf(values, alias)
  if (values === null) throw fault('has no times for the layer; remove times of the source')
  const offered = values.split(',').map((each) => each.trim())
  // Only the ends of intervals are known.
  if (offered.some((each) => each.includes('/'))) return [...stated]
  return stated.flatMap((time) => {
    // A date may be written less exactly than the service does: a year stands for all times in it.
    const own = offered.filter((each) => each.startsWith(time))
    if (own.length === 0) throw fault(`has no time ${time} for the layer; name one of ${listed(offered)}`)
    return own
  })
}

/**
 * The values of a time dimension (OGC 06-042, annex D): a list, of which `first/last/period` stands for all between.
 *
 * @returns undefined for a layer without times
 * @throws InputError for too many, or for values that are no times
 */
function timesOf(values: string | null, alias: string): string[] | undefined {
  if (values === null || values.trim() === '') return undefined
  const times = values
    .split(',')
    .map((each) => each.trim())
    // The latest by another name.
    .filter((each) => each !== '' && !/^(?:current|default)$/i.test(each))
    .flatMap((each) => (each.includes('/') ? between(each.split('/'), alias) : [each]))
  const wrong = times.find((each) => Number.isNaN(Date.parse(each)))
  if (wrong !== undefined || times.length > MOST_TIMES)
    throw new InputError(
      'imagery-settings',
      `${alias} has ${wrong === undefined ? `${times.length} times` : `"${wrong.slice(0, 40)}" among its times`}; list those to use as times of the source.`,
    )
  return times.length === 0 ? undefined : [...new Set(times)]
}

const UNITS: Readonly<Record<string, (date: Date, count: number) => void>> = {
  Y: (date, count) => date.setUTCFullYear(date.getUTCFullYear() + count),
  M: (date, count) => date.setUTCMonth(date.getUTCMonth() + count),
  W: (date, count) => date.setUTCDate(date.getUTCDate() + 7 * count),
  D: (date, count) => date.setUTCDate(date.getUTCDate() + count),
}

function between([first = '', last = '', period = '']: readonly string[], alias: string): string[] {
  const [, count, unit] = /^P(\d+)([YMWD])/.exec(period) ?? []
  const [from, to] = [Date.parse(first), Date.parse(last)]
  if (unit === undefined || Number(count) === 0 || Number.isNaN(from) || Number.isNaN(to))
    throw new InputError(
      'imagery-settings',
      `${alias} has times "${[first, last, period].join('/').slice(0, 60)}", which are not known here; list those to use as times of the source.`,
    )
  const times: string[] = []
  const date = new Date(from)
  while (date.getTime() <= to && times.length <= MOST_TIMES) {
    // As exact as the first is written: services may know no other form.
    times.push(date.toISOString().slice(0, Math.min(first.length, 10)) + first.slice(10))
    UNITS[unit]!(date, Number(count))
  }
  return times
}
