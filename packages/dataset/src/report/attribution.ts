import { printableLine } from '@skyscript/core'
import { code, plain } from '../markdown.ts'

/** A licence, and the credit lines of the images under it in the licence's wording. Equal lines are printed once. */
export interface Terms {
  readonly licence: string
  readonly credits: readonly string[]
}

/** Where one source's images come from and on what terms. */
export interface SourceAttribution {
  readonly alias: string
  /** Earth Engine collection id. */
  readonly collection: string
  /** Several where images of the source have their own. */
  readonly terms: readonly Terms[]
  /** Years of the images used, null for images without a time; may repeat. */
  readonly years: readonly (number | null)[]
}

/** OpenStreetMap's licence requires this wherever data made from the map is passed on. */
const OSM_CREDIT = '© OpenStreetMap contributors, Open Database License (ODbL) 1.0'

/** The credit lines of a report: the map first, then each source. */
export function creditLines(sources: readonly SourceAttribution[]): string[] {
  return [
    `Captions and metas: ${OSM_CREDIT}, https://www.openstreetmap.org/copyright`,
    ...sources.flatMap(({ alias, terms }) =>
      terms.map(({ licence, credits }) => `${alias}: ${[...new Set(credits)].join('; ')} (${licence})`),
    ),
  ].map(printableLine)
}

/**
 * `ATTRIBUTION.md`: licence and credit of every source of an image, and the notice that ODbL requires.
 *
 * @param sources sources with at least one image, in output order
 * @param drawn whether Earth Engine's images were drawn from the map
 */
export function attributionMarkdown(
  name: string,
  sources: readonly SourceAttribution[],
  { drawn = false }: { readonly drawn?: boolean } = {},
): string {
  const sections = sources.map(({ alias, collection, terms, years }) => {
    const lines = terms.flatMap(({ licence, credits }) => [
      `- Licence: ${plain(licence)}`,
      ...[...new Set(credits)].map((credit) => `- Credit: ${plain(credit)}`),
    ])
    return [
      `## Images with ${plain(alias)} in their name`,
      '',
      `- Collection: ${code(collection)}`,
      `- Years of the images: ${yearsText(years)}`,
      ...lines,
      '- Changes: cut out, given 8 bits a colour by a fixed stretch, and stored as JPEG',
      '',
    ].join('\n')
  })
  return [
    `# Attribution of ${plain(name)}`,
    '',
    'If you pass on this dataset, or part of it, pass on these notices with it. The manifest names licence and credit of',
    'every image.',
    ...(drawn
      ? [
          '',
          'The images of Earth Engine’s collections were drawn from the map, to try the pipeline out: they show no real ground.',
        ]
      : []),
    '',
    '## Captions, metas and everything else made from the map',
    '',
    `- Credit: ${OSM_CREDIT}`,
    '- Licence: https://opendatacommons.org/licenses/odbl/1-0/, explained at https://www.openstreetmap.org/copyright',
    '- The captions (`title`, `title_multi_objects`), the metas and the tags in the manifest are derived from OpenStreetMap.',
    '  A database made from them, in whole or in substantial part, must be offered under ODbL as well when it is made public.',
    '',
    ...sections,
  ].join('\n')
}

function yearsText(years: readonly (number | null)[]): string {
  const known = [...new Set(years.filter((year) => year !== null))].sort((a, b) => a - b).map(String)
  if (years.includes(null)) known.push('not dated')
  return known.length === 0 ? 'not dated' : known.join(', ')
}
