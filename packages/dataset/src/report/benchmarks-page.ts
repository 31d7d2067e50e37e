import { formatCount, formatCounted, type Storage } from '@skyscript/core'
import pMap from 'p-map'
import { setCsv } from '../benchmarks/names.ts'
import type { BenchmarkSheet, ClassSample, SampledImage } from '../benchmarks/sheets.ts'
import { bars } from './charts.ts'
import { type Html, html } from './html.ts'
import { STYLE_MARKUP, styleMarkup } from './style.ts'
import { thumbnail } from './thumbnail.ts'

/** Pixels of a thumbnail's longer side: some 3 KB, so that a page of 70 classes has 3 MB. */
const SIDE = 120
const AT_ONCE = 8

const STYLE = styleMarkup(`
h3 { font-size: 14px; margin: 18px 0 8px }
.thumbs { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 8px }
.thumbs figure img, .thumbs figure .none { height: 96px } .thumbs figcaption { padding: 4px 6px; font-size: 11px }
.thumbs .doubtful { border-color: var(--accent-2) } .thumbs .doubtful figcaption { color: var(--accent-2) }
`)

/** Why pairs on the ground of a set are not in it. */
const MEANINGS: Readonly<Record<string, string>> = {
  'beyond-largest-number': 'beyond the largest number of pairs',
  'beyond-per-class': 'beyond the number of images per class',
  'class-too-small': 'the class has too few images',
  'ground-of-test': 'shows ground of a test image',
  'ground-of-training': 'shows ground of a training or validation image',
  'looks-like-another-class': 'looks like an image of another class',
  'looks-like-another-image': 'looks like another image of the set',
  'looks-like-training': 'looks like a training or validation image',
  'no-class': 'shows none of the classes',
  'not-among-best': 'not among the most similar 30 %',
  'several-classes': 'fits several classes',
}

/**
 * The benchmark sets of a dataset as a page like the report: sizes, classes, exclusions, and a contact sheet of each class. It has
 * no results of evaluations, so its bytes depend on the dataset only.
 */
export async function benchmarksPage(
  { name, toolVersion }: { readonly name: string; readonly toolVersion: string },
  sheets: readonly BenchmarkSheet[],
  storage: Storage,
): Promise<string> {
  const cards: Html[] = []
  for (const sheet of sheets) cards.push(await setCard(sheet, storage))
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${name}: benchmark sets</title><style>${STYLE_MARKUP}${STYLE}</style></head><body><main>
<h1>Benchmark sets</h1><p class="soft">${name}, made by skyscript ${toolVersion}. <a href="index.html">Report</a> · <a href="evaluations.html">Results</a> of skyscript evaluate --save</p>
${cards}
</main></body></html>
`
  return page.markup
}

async function setCard({ folder, record, samples }: BenchmarkSheet, storage: Storage): Promise<Html> {
  const { images, from, prompts, labels, task } = record
  const classes = labels.map((each) => formatCounted(each.classes.length, 'class', 'classes')).join(' and ')
  const shown = []
  for (const sample of samples) shown.push(await sampleSheet(sample, storage))
  return html`<section class="card" id="${folder}"><h2>${record.name}</h2>
<p>${formatCounted(images, 'image')}${classes === '' ? ' with captions' : ` of ${classes}`}, on ${from === 'test' ? 'the ground of test' : 'ground of their own'}: <code>${folder}/${setCsv(folder)}</code></p>
${task === 'retrieval' ? '' : html`<p class="soft small">Prompts: ${typeof prompts === 'string' ? html`those of <code>${prompts}</code>` : prompts.map((prompt, i) => html`${i > 0 ? ', ' : ''}<code>${prompt}</code>`)}. Doubtful: some scorer ranks the image among the lowest fifth of its ground; disputed: not every scorer does.</p>`}
<div class="columns">${labels.map(classTable)}${exclusions(record.excluded)}</div>
${shown}</section>`
}

function classTable({ column, classes }: BenchmarkSheet['record']['labels'][number]): Html {
  return html`<div class="scroll"><table><tr><th><code>${column}</code></th><th class="n">images</th><th class="n">doubtful</th><th class="n">disputed</th></tr>${classes.map(
    ({ name, images, doubtful, disputed }) =>
      html`<tr><td><bdi>${name}</bdi></td><td class="n">${formatCount(images)}</td><td class="n">${formatCount(doubtful)}</td><td class="n">${formatCount(disputed)}</td></tr>`,
  )}</table></div>`
}

function exclusions(excluded: Readonly<Record<string, number>>): Html {
  const rows = Object.entries(excluded)
    .map(([reason, n]) => [MEANINGS[reason] ?? reason, n] as const)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  if (rows.length === 0) return html``
  return html`<div><p class="soft small">Pairs on this ground that are not in the set</p>${bars(rows, rows[0]![1], 'plain')}</div>`
}

async function sampleSheet({ name, images, rows }: ClassSample, storage: Storage): Promise<Html> {
  const thumbnails = await pMap(rows, ({ filepath }) => thumbnail(storage, filepath, SIDE), { concurrency: AT_ONCE })
  const heading = `${name === null ? 'Images' : name}: ${formatCount(rows.length)} of ${formatCount(images)}`
  return html`<h3><bdi>${heading}</bdi></h3><div class="thumbs">${rows.map((row, i) => figure(row, thumbnails[i]!, name === null))}</div>`
}

/** @param isCaptioned shows the title, which is all that a set of captions has */
function figure({ filepath, title, doubt }: SampledImage, jpeg: Uint8Array | null, isCaptioned: boolean): Html {
  const picture = jpeg
    ? html`<img alt="${title}" title="${filepath}: ${title}" loading="lazy" src="data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}">`
    : html`<div class="none">no image</div>`
  const caption = isCaptioned ? html`<bdi>${title}</bdi>` : ''
  if (doubt === 'none')
    return html`<figure>${picture}${isCaptioned ? html`<figcaption>${caption}</figcaption>` : ''}</figure>`
  return html`<figure class="doubtful">${picture}<figcaption>${caption} ${doubt === 'all' ? 'doubtful' : 'doubtful, disputed'}</figcaption></figure>`
}
