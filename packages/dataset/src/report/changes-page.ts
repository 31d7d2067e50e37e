import { formatCount } from '@skyscript/core'
import type { Changes, Described } from '../diff/changes.ts'
import type { Details } from '../diff/details.ts'
import type { Example } from '../diff/examples.ts'
import { pairsLine, shownValue, textChanges } from '../diff/text.ts'
import { type Html, html } from './html.ts'
import { STYLE_MARKUP } from './style.ts'

/** A pair on the page, with small JPEGs of its images; null for those that are not there. */
export interface ChangeExample extends Example {
  readonly imageBefore: Uint8Array | null
  readonly imageAfter: Uint8Array | null
}

/** Whether the image before is another one. */
const isImageReplaced = ({ reasons }: Pick<Example, 'reasons'>) => reasons.includes('image')

/** Tags that are listed. */
const TAGS = 40
/** A longer caption is cut. */
const CHARACTERS = 300

/** What a build changed, as a page of its own like the report: self-contained, without scripts and network access. */
export function changesPage(changes: Changes, examples: readonly ChangeExample[]): string {
  const { before, after, pairs } = changes
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${after.name}: what changed</title><style>${STYLE_MARKUP}</style></head><body><main>
<h1>What changed</h1><p class="soft">${after.name}, compared with the dataset before the last build or cut. <a href="index.html">Report</a></p>
${
  before === null
    ? html`<section class="card"><p>There was no dataset before: all ${formatCount(after.pairs)} pairs are new.</p></section>`
    : html`
<section class="card"><p>${pairs === null ? '' : `${pairsLine(pairs)}; ${formatCount(pairs.counts.same)} unchanged.`}</p><p class="soft small">before: ${mapOf(before)}<br>after: ${mapOf(after)}</p></section>
${settingsCard(changes)}${filesCard(changes)}${tagsCard(changes)}
${sheet('Images that changed', examples.filter(isImageReplaced))}
${sheet(
  'Tags and captions that changed',
  examples.filter((each) => each.kind === 'changed' && !isImageReplaced(each)),
)}
${sheet(
  'Pairs that were added',
  examples.filter(({ kind }) => kind === 'added'),
)}
${sheet(
  'Pairs that were removed',
  examples.filter(({ kind }) => kind === 'removed'),
)}`
}
</main></body></html>
`
  return page.markup
}

const mapOf = ({ pairs, maps }: Described) =>
  `${formatCount(pairs)} pairs, ${maps.map(({ name, timestamp, sequence }) => [name, ...(timestamp === null ? [] : [timestamp]), ...(sequence === null ? [] : [`sequence ${sequence}`])].join(' ')).join(', ')}`

function settingsCard({ settings, models }: Changes): Html {
  const rows = [
    ...settings.map(({ setting, ...each }) => [setting, each] as const),
    ...models.map(({ scorer }) => [`model of ${scorer}`, { before: 'one', after: 'another' }] as const),
  ]
  if (rows.length === 0) return html``
  return html`<section class="card"><h2>Settings</h2><div class="scroll"><table><tr><th>setting</th><th>before</th><th>after</th></tr>${rows.map(
    ([name, { before, after }]) =>
      html`<tr><td><code>${name}</code></td><td><code>${shownValue(before)}</code></td><td><code>${shownValue(after)}</code></td></tr>`,
  )}</table></div></section>`
}

function filesCard({ pairs }: Changes): Html {
  if (pairs === null || pairs.csvs.length === 0) return html``
  return html`<section class="card"><h2>Files</h2><div class="scroll"><table><tr><th>file</th><th class="n">pairs that entered</th><th class="n">left</th></tr>${pairs.csvs.map(
    ({ before, after, entered, left }) =>
      html`<tr><td><code>${after ?? before}</code></td><td class="n">${formatCount(entered.size)}</td><td class="n">${formatCount(left.size)}</td></tr>`,
  )}</table></div></section>`
}

function tagsCard({ pairs }: Changes): Html {
  if (pairs === null || pairs.tags.length === 0) return html``
  const more = pairs.tags.length - TAGS
  return html`<section class="card"><h2>Tags of the objects</h2><div class="scroll"><table><tr><th>tag</th><th class="n">added</th><th class="n">removed</th><th class="n">changed</th></tr>${pairs.tags
    .slice(0, TAGS)
    .map(
      ({ tag, added, removed, changed }) =>
        html`<tr><td><code>${tag}</code></td><td class="n">${formatCount(added)}</td><td class="n">${formatCount(removed)}</td><td class="n">${formatCount(changed)}</td></tr>`,
    )}</table></div>${more > 0 ? html`<p class="soft small">and ${formatCount(more)} more in changes.json</p>` : ''}</section>`
}

function sheet(title: string, examples: readonly ChangeExample[]): Html {
  if (examples.length === 0) return html``
  return html`<section class="card"><h2>${title}</h2><p class="soft small">Some of them, drawn by seeded chance.</p><div class="sheet">${examples.map(figure)}</div></section>`
}

function figure({ id, reasons, before, after, imageBefore, imageAfter }: ChangeExample): Html {
  const details = (after ?? before)!
  const pictures =
    before === null || !(isImageReplaced({ reasons }) || after === null)
      ? html`${picture(imageAfter, details.filepath)}`
      : html`<div class="two">${[
          html`<div>${picture(imageBefore, `before: ${before.filepath}`)}</div>`,
          ...(after === null ? [] : [html`<div>${picture(imageAfter, `after: ${after.filepath}`)}</div>`]),
        ]}</div>`
  const texts = before === null || after === null ? [] : textChanges(before, after)
  return html`<figure>${pictures}<figcaption>${
    texts.length === 0 ? html`<p><bdi>${cut(details.title)}</bdi></p>` : ''
  }${texts.map(([old, now]) => html`<p><del><bdi>${cut(old)}</bdi></del><br><ins><bdi>${cut(now)}</bdi></ins></p>`)}<p class="facts">${id}${
    reasons.length > 0 ? `: ${reasons.join(', ')}` : ''
  }<br>${imageLine(before, after)}</p></figcaption></figure>`
}

const imageLine = (before: Details | null, after: Details | null) =>
  [
    ...new Set([before, after].flatMap((each) => (each === null ? [] : [`${each.source} ${each.date ?? 'no date'}`]))),
  ].join(' -> ')

const picture = (jpeg: Uint8Array | null, alt: string): Html =>
  jpeg
    ? html`<img alt="${alt}" loading="lazy" src="data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}">`
    : html`<div class="none">image not kept</div>`

const cut = (text: string) => (text.length <= CHARACTERS ? text : `${text.slice(0, CHARACTERS).toWellFormed()}…`)
