/** How licences of imagery are named and compared. */

/** Further names of licences, beside the ids that begin each list. The ids are SPDX's (https://spdx.org/licenses), where it has one. */
const NAMES = [
  ['CC0-1.0', 'CC0', 'Creative Commons Zero'],
  ['CC-BY-4.0', 'CC BY 4.0', 'Creative Commons Attribution 4.0'],
  ['CC-BY-3.0', 'CC BY 3.0', 'Creative Commons Attribution 3.0'],
  ['CC-BY-2.0', 'CC BY 2.0', 'Creative Commons Attribution 2.0'],
  ['DL-DE-BY-2.0', 'dl-de/by-2-0', 'Datenlizenz Deutschland Namensnennung 2.0'],
  ['DL-DE-ZERO-2.0', 'dl-de/zero-2-0', 'Datenlizenz Deutschland Zero 2.0'],
  ['etalab-2.0', 'Licence Ouverte 2.0', 'Open Licence 2.0'],
  ['OGL-UK-3.0', 'Open Government Licence v3.0'],
  ['ODC-By-1.0', 'Open Data Commons Attribution License 1.0'],
  ['PDDL-1.0', 'Open Data Commons Public Domain Dedication and License 1.0'],
  ['public-domain', 'public domain', 'PD'],
] as const

/**
 * Under these anyone may copy, change and pass on pictures, also for money, and owes no more than a credit: what `auto`
 * takes where `imagery.licences` names none.
 */
export const OPEN_LICENCES: readonly string[] = [
  ...NAMES.map(([id]) => id),
  'Copernicus Sentinel data terms',
  'swisstopo open government data',
  'open data licence of the Estonian Land Board',
  'Flanders model licence for free reuse',
  'Croatian open licence',
]

/** Only letters and digits count: `CC BY 4.0`, `CC-BY-4.0` and `cc by 4.0` are the same. */
const plain = (text: string) =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')

const IDS = NAMES.flatMap(([id, ...others]) => [id, ...others].map((name) => [plain(name), plain(id)] as const))
  // The longest name that fits is meant.
  .sort(([a], [b]) => b.length - a.length)

/** Names that conditions may follow, which make another licence of them: `CC BY-NC` is none of `CC BY`, nor `CC BY-NC-SA` of `CC BY-NC`. */
const WITH_CONDITIONS = /(?:by|attribution|-nc|-non-?commercial)$/
const CONDITION = /^(?:nc|nd|sa|non-?commercial|no-?deriv\w*|share-?alike)(?:-|$)/

function startsWith(text: string, start: string): boolean {
  if (text === start) return true
  if (!text.startsWith(`${start}-`)) return false
  return !(WITH_CONDITIONS.test(start) && CONDITION.test(text.slice(start.length + 1)))
}

/** With a known name at its beginning replaced by its id. */
function canonical(text: string): string {
  const words = plain(text)
  const known = IDS.find(([name]) => startsWith(words, name))
  return known ? known[1] + words.slice(known[0].length) : words
}

/**
 * Whether the text of a licence starts with one of the names that are allowed. Names and SPDX ids of one licence are the
 * same, and so are texts that differ in case, blanks and punctuation. `CC BY` allows any version of it, but not CC BY-NC.
 */
export function isAllowedLicence(licence: string, allowed: readonly string[]): boolean {
  const [text, exact] = [plain(licence), canonical(licence)]
  return allowed.some((name) => startsWith(text, plain(name)) || startsWith(exact, canonical(name)))
}
