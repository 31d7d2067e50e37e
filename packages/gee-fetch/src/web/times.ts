import { InputError } from '@skyscript/core'

/** More are not one layer's pictures of a place. */
const MOST_TIMES = 500

/**
 * The values of a time dimension (OGC 06-042, annex D): a list, of which `first/last/period` stands for all between.
 *
 * @returns undefined for a layer without times
 * @throws InputError for too many, or for values that are no times
 */
export function timesOf(values: string | null, alias: string): string[] | undefined {
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
