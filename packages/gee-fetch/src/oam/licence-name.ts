import { isAllowedLicence } from '@skyscript/core'

/** A licence as the manifest names it. */
export interface LicenceName {
  /** `CC BY-SA`, `CC0`, `public domain`, or what is not known here as it was written. */
  readonly name: string
  /** `4.0`; null where none is named. */
  readonly version: string | null
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^https?:\/\/(?:www\.)?creativecommons\.org\/(?:licenses|publicdomain)\//, 'cc '],
  [/creative commons/g, 'cc'],
  [/attribution/g, 'by'],
  [/share ?alike/g, 'sa'],
  [/non ?commercial/g, 'nc'],
  [/no ?deriv(?:ative)?s?(?: ?works)?/g, 'nd'],
  [/\b(?:licen[cs]e|international|unported|generic|universal|deed)\b/g, ' '],
]
/** Order of a Creative Commons licence's conditions in its name. */
const CONDITIONS = ['nc', 'nd', 'sa']

/**
 * The name of a licence, however a catalogue spells it: `CC-BY 4.0`, `cc_by_4.0`, `Creative Commons Attribution 4.0
 * International` and `https://creativecommons.org/licenses/by/4.0/` are one. Anything more than a known name is not
 * known: it may add a condition.
 */
export function licenceName(text: string): LicenceName {
  const own = { name: text.trim().replace(/\s+/g, ' '), version: null }
  let plain = own.name.toLowerCase()
  for (const [pattern, word] of WORDS) plain = plain.replace(pattern, word)
  plain = plain.replace(/[-_/\s]+/g, ' ').trim()
  if (/^(?:cc )?public domain(?: mark)?(?: 1(?:\.0)?)?$|^(?:cc )?mark 1\.0$|^pd$/.test(plain))
    return { name: 'public domain', version: null }
  if (/^(?:cc ?(?:0|zero)|cc zero)(?: public domain)?(?: v?1(?:\.0)?)?(?: public domain(?: dedication)?)?$/.test(plain))
    return { name: 'CC0', version: null }
  const found = /^cc by((?: (?:nc|nd|sa))*)(?: v?(\d)(\.\d)?)?$/.exec(plain)
  if (!found) return own
  const [, conditions = '', major, minor = '.0'] = found
  const named = CONDITIONS.filter((each) => conditions.split(' ').includes(each)).map(
    (each) => `-${each.toUpperCase()}`,
  )
  return { name: `CC BY${named.join('')}`, version: major === undefined ? null : major + minor }
}

export const licenceText = ({ name, version }: LicenceName): string => (version === null ? name : `${name} ${version}`)

/** Whether a list of licences has one; an entry without a version stands for all. */
export function isListed(licence: LicenceName, list: readonly string[]): boolean {
  return list
    .map(licenceName)
    .some(
      ({ name, version }) =>
        name.toLowerCase() === licence.name.toLowerCase() && (version === null || version === licence.version),
    )
}

/**
 * The part of a list of licences that a source's users allow.
 *
 * @param allowed how licences begin; a longer one allows some versions only
 */
export function narrowed(list: readonly string[], allowed: readonly string[]): string[] {
  const both = list.flatMap((each) => {
    if (isAllowedLicence(each, allowed)) return [each]
    return allowed.filter((start) => isListed(licenceName(start), [each]))
  })
  return [...new Set(both)]
}
