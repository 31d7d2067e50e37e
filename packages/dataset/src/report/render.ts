import { formatBytes, formatCount } from '@skyscript/core'
import { bars, scoreHistogram } from './charts.ts'
import { type ReportInput, type ReportPair, SCORE_STEP } from './collector.ts'
import { type Html, html } from './html.ts'
import { STYLE_MARKUP } from './style.ts'

/** Longer captions are cut; the longest released one has about 2,000 characters. */
const CAPTION_CHARACTERS = 2000
/** A longer list of reasons ends in "and n more". */
const REASONS = 40

/**
 * The dataset's report: one self-contained HTML page, in light and dark, without scripts and network access (its content
 * policy forbids both). The same input gives the same bytes.
 */
export function renderReport(input: ReportInput): string {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${input.name}: dataset report</title><style>${STYLE_MARKUP}</style></head><body><main>
<h1>${input.name}</h1><p class="soft">Image-text pairs from OpenStreetMap objects and overhead imagery, made by skyscript ${input.toolVersion}.</p>
${numbers(input)}
<div class="columns">${reasonsCard(input)}${filesCard(input)}</div>
${unseenCard(input)}
${sourcesCard(input)}${checksCard(input)}${duplicatesCard(input)}
<div class="columns">${input.scores.map(
    (stats) =>
      html`<section class="card"><h2>Similarity by ${stats.scorer}</h2>${scoreHistogram(stats, SCORE_STEP)}<p class="soft small">Cosine of image and title; ${stats.max < stats.min ? '' : `${stats.min.toFixed(3)} to ${stats.max.toFixed(3)}`}</p></section>`,
  )}</div>
${tagsCard(input)}
${sheet(input)}${benchmarksCard(input)}
${CHANGES_CARD}
<section class="card"><h2>Credits</h2><ul>${input.credits.map((credit) => html`<li>${credit}</li>`)}</ul></section>
</main></body></html>
`
  return page.markup
}

/** A link, since what changed depends on what was there before, and this page only on the dataset. */
const CHANGES_CARD = html`<section class="card"><h2>What changed</h2><p>The pairs that the last build added, removed and changed, with images before and after: <a href="changes.html">changes.html</a></p></section>`

function benchmarksCard({ benchmarks = {} }: ReportInput): Html {
  const sets = Object.entries(benchmarks)
  if (sets.length === 0) return html``
  return html`
<section class="card"><h2>Benchmark sets</h2><div class="scroll"><table><tr><th>set</th><th class="n">images</th><th class="n">classes</th></tr>${sets.map(
    ([folder, { images, classes }]) =>
      html`<tr><td><a href="benchmarks.html#${folder}">${folder}</a></td><td class="n">${formatCount(images)}</td><td class="n">${classes === 0 ? 'captions' : formatCount(classes)}</td></tr>`,
  )}</table></div><p>Classes, exclusions and contact sheets: <a href="benchmarks.html">benchmarks.html</a>. Results of models: <a href="evaluations.html">evaluations.html</a></p></section>`
}

/** Prefix of the reasons for objects without a visible tag. */
const UNSEEN = 'not-groundable:'

const OTHER_DECIDERS: readonly [string, string][] = [
  ['override', 'your table says that it is never seen'],
  ['classifier', 'the classifier says that it is never seen'],
  ['unknown', 'no table has it; skyscript tags coverage lists such tags'],
]

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((total, n) => total + n, 0)

const decimals = (value: number | null, digits: number) =>
  value !== null && Number.isFinite(value) ? value.toFixed(digits) : '-'

function numbers(input: ReportInput): Html {
  const facts: [string, string][] = [
    [formatCount(input.kept), 'image-text pairs'],
    [formatCount(input.objects), 'tagged objects'],
    [formatCount(sum(input.dropped)), 'dropped, with a reason'],
    [formatCount(sum(input.failed)), 'failed'],
    [formatCount(input.distinctTags), 'distinct tags'],
    [formatBytes(input.totalBytes), 'of images'],
    [decimals(input.words.title, 1), 'words a title'],
    [decimals(input.words.titleMultiObjects, 1), 'words a multi-object title'],
  ]
  return html`<div class="numbers">${facts.map(([value, what]) => html`<div class="number"><b>${value}</b><span>${what}</span></div>`)}</div>`
}

function reasonsCard({ objects, kept, dropped, failed }: ReportInput): Html {
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  const unseen = Object.keys(dropped).filter((reason) => reason.startsWith(UNSEEN))
  const others = Object.entries(dropped).filter(([reason]) => !reason.startsWith(UNSEEN))
  const unseenTotal = unseen.reduce((total, reason) => total + dropped[reason]!, 0)
  const reasons = list(Object.fromEntries(unseenTotal > 0 ? [...others, ['not-groundable', unseenTotal]] : others))
  const failures = list(failed)
  const more =
    reasons.length > REASONS ? html`<p class="soft small">and ${reasons.length - REASONS} more in dropped.csv</p>` : ''
  return html`<section class="card"><h2>What became of the objects</h2>
<p>${formatCount(kept)} of ${formatCount(objects)} objects became a pair${objects > 0 ? ` (${decimals((100 * kept) / objects, 1)} %)` : ''}.</p>
${reasons.length > 0 ? html`<p class="soft small">Dropped, by reason</p>${bars(reasons.slice(0, REASONS), reasons[0]?.[1] ?? 0, 'plain')}${more}` : html`<p class="soft">None was dropped.</p>`}
${failures.length > 0 ? html`<p class="soft small" style="margin-top:14px">Failed, by code; the next build tries them again</p>${bars(failures.slice(0, REASONS), failures[0]?.[1] ?? 0, 'warm')}` : ''}</section>`
}

/** Objects dropped by each rule of the tag tables. */
function unseenCard({ dropped, meanings }: ReportInput): Html {
  const meaningOf = new Map([...meanings.map(({ reason, meaning }) => [reason, meaning] as const), ...OTHER_DECIDERS])
  const rows = Object.entries(dropped)
    .filter(([reason]) => reason.startsWith(UNSEEN))
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  if (rows.length === 0) return html``
  return html`<section class="card"><h2>Objects of which nothing can be seen</h2><p class="soft small">By the rule of the tag tables that says most of the object.</p><div class="scroll"><table>
<tr><th>rule</th><th class="n">objects</th><th>their tags say</th></tr>${rows.map(([reason, n]) => {
    const rule = reason.slice(UNSEEN.length)
    return html`<tr><td>${rule}</td><td class="n">${formatCount(n)}</td><td>${meaningOf.get(rule) ?? ''}</td></tr>`
  })}</table></div></section>`
}

function filesCard({ files, splits, notes }: ReportInput): Html {
  const parts = Object.entries(splits).filter(([, pairs]) => pairs > 0)
  return html`<section class="card"><h2>Files</h2><div class="scroll"><table><tr><th>file</th><th class="n">pairs</th></tr>${files.map(
    ({ path, rows }) => html`<tr><td><code>${path}</code></td><td class="n">${formatCount(rows)}</td></tr>`,
  )}</table></div><p class="soft small">Pairs by split: ${parts.map(([split, pairs]) => `${split} ${formatCount(pairs)}`).join(', ')}.</p>${notes.map((note) => html`<p class="soft small">${note}</p>`)}</section>`
}

/** How much of the dataset repeats. */
function duplicatesCard({ duplicates: { exact, near, captions }, kept }: ReportInput): Html {
  const share = (n: number) => (kept === 0 ? '-' : `${((100 * n) / kept).toFixed(1)} %`)
  const rows: [string, number, string][] = [
    ['images whose file is equal to another', exact.images, `${formatCount(exact.groups)} different files`],
    [
      'images that look like another',
      near.images,
      `${formatCount(near.groups)} groups, the largest of ${formatCount(near.largest)}`,
    ],
    [
      'pairs whose title another pair has',
      captions.pairs,
      `${formatCount(captions.distinct)} different titles, one on ${formatCount(captions.most)} pairs`,
    ],
  ]
  return html`<section class="card"><h2>What repeats</h2><p class="soft small">Looks are compared by perceptual hashes: at most 4 of 64 bits apart, or so near to one that is.</p><div class="scroll"><table><tr><th></th><th class="n">pairs</th><th class="n">of all</th><th></th></tr>${rows.map(
    ([what, n, more]) =>
      html`<tr><td>${what}</td><td class="n">${formatCount(n)}</td><td class="n">${share(n)}</td><td>${more}</td></tr>`,
  )}</table></div></section>`
}

function sourcesCard({ sources }: ReportInput): Html {
  const years = [...new Set(sources.flatMap((source) => source.years.map(([year]) => year)))].sort((a, b) =>
    (a || '~') < (b || '~') ? -1 : 1,
  )
  const metres = ({ min, max }: { min: number; max: number }) => (min === max ? `${min}` : `${min} to ${max}`)
  return html`<section class="card"><h2>Images by source</h2><div class="scroll"><table>
<tr><th>source</th><th class="n">images</th><th class="n">m/pixel</th><th class="n">mean size</th><th class="n">mean bytes</th>${years.map(
    (year) => html`<th class="n">${year || 'no year'}</th>`,
  )}</tr>${sources.map(
    ({ source, images, gsd, width, height, bytes, years: own }) =>
      html`<tr><td>${source}</td><td class="n">${formatCount(images)}</td><td class="n">${metres(gsd)}</td><td class="n">${Math.round(width)} × ${Math.round(height)}</td><td class="n">${formatBytes(bytes)}</td>${years.map(
        (year) => html`<td class="n">${formatCell(own, year)}</td>`,
      )}</tr>`,
  )}</table></div></section>`
}

/** Images rejected by each check of the pixels; the object may have had other candidates. */
function checksCard({ looked }: ReportInput): Html {
  const reasons = [...new Set(Object.values(looked).flatMap((counts) => Object.keys(counts)))].filter(
    (reason) => reason !== 'taken',
  )
  if (reasons.length === 0) return html``
  const cell = (n: number | undefined) => (n === undefined ? '' : formatCount(n))
  return html`<section class="card"><h2>Images that were looked at and not taken</h2><p class="soft small">By the check that rejected them; the object's next image was tried then.</p><div class="scroll"><table>
<tr><th>source</th><th class="n">taken</th>${reasons.sort().map((reason) => html`<th class="n">${reason}</th>`)}</tr>${Object.entries(
    looked,
  ).map(
    ([source, counts]) =>
      html`<tr><td>${source}</td><td class="n">${cell(counts.taken)}</td>${reasons.map((reason) => html`<td class="n">${cell(counts[reason])}</td>`)}</tr>`,
  )}</table></div></section>`
}

function formatCell(years: readonly (readonly [string, number])[], year: string): string {
  const images = years.find(([own]) => own === year)?.[1]
  return images === undefined ? '' : formatCount(images)
}

function tagsCard({ tags, distinctTags }: ReportInput): Html {
  const half = Math.ceil(tags.length / 2)
  const columns = [tags.slice(0, half), tags.slice(half)].filter((column) => column.length > 0)
  return html`<section class="card"><h2>Tags of the focus objects</h2><p class="soft small">The ${tags.length} most frequent of ${formatCount(distinctTags)}, by images.</p><div class="columns">${columns.map(
    (column) => html`<div>${bars(column, tags[0]?.[1] ?? 0, 'plain')}</div>`,
  )}</div></section>`
}

function sheet({ pairs, scorers }: ReportInput): Html {
  return html`<section class="card"><h2>${pairs.length} pairs</h2><p class="soft small">Drawn by seeded chance; sources take turns, and within a source the kinds of object.</p><div class="sheet">${pairs.map(
    (pair) => figure(pair, scorers),
  )}</div></section>`
}

function figure({ row, thumbnail }: ReportPair, scorers: readonly string[]): Html {
  const { image, caption, similarities } = row
  const picture = thumbnail
    ? html`<img alt="${image.filepath}" loading="lazy" src="data:image/jpeg;base64,${Buffer.from(thumbnail).toString('base64')}">`
    : html`<div class="none">no image</div>`
  const scores = scorers.map((scorer, i) => `${scorer} ${decimals(similarities[i] ?? Number.NaN, 3)}`).join(', ')
  const date = image.time === null ? 'no date' : new Date(image.time).toISOString().slice(0, 10)
  return html`<figure>${picture}<figcaption><p><bdi>${cut(caption.title)}</bdi></p>${
    caption.titleMultiObjects === caption.title
      ? ''
      : html`<p class="multi"><bdi>${cut(caption.titleMultiObjects)}</bdi></p>`
  }<p class="facts">${image.source} ${date}, ${image.gsd} m, ${image.width} × ${image.height}<br>${scores}<br>${image.filepath}</p></figcaption></figure>`
}

function cut(text: string): string {
  return text.length <= CAPTION_CHARACTERS ? text : `${text.slice(0, CAPTION_CHARACTERS).toWellFormed()}…`
}
