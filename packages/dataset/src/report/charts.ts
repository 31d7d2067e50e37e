import { formatCount } from '@skyscript/core'
import type { ScoreStats } from './collector.ts'
import { type Html, html } from './html.ts'

/**
 * Horizontal bars, one per row.
 *
 * @param full value of a full-length bar
 */
export function bars(
  rows: readonly (readonly [label: string, value: number])[],
  full: number,
  tone: 'plain' | 'warm',
): Html {
  return html`<div class="bars">${rows.map(
    ([label, value]) =>
      html`<code title="${label}">${label}</code><i class="${tone}" style="width:${((100 * value) / Math.max(1, full)).toFixed(1)}%"></i><span>${formatCount(value)}</span>`,
  )}</div>`
}

const WIDTH = 560
const HEIGHT = 190
const LEFT = 6
const BASE = HEIGHT - 24

/**
 * Histogram of one scorer's similarities, from the lowest filled step to the highest, with the mean as a line.
 *
 * @param step bin width of `stats.bins`; the first bin starts at -1
 */
export function scoreHistogram(stats: ScoreStats, step: number): Html {
  const first = stats.bins.findIndex((pairs) => pairs > 0)
  const last = stats.bins.findLastIndex((pairs) => pairs > 0)
  if (first < 0) return html`<p class="soft">No pair has a score.</p>`
  const bins = stats.bins.slice(first, last + 1)
  const largest = Math.max(...bins)
  const width = (WIDTH - 2 * LEFT) / bins.length
  const from = first * step - 1
  const to = (last + 1) * step - 1
  const x = (similarity: number) => LEFT + ((similarity - from) / (to - from)) * (WIDTH - 2 * LEFT)
  const columns = bins.map((pairs, i) => {
    const height = (pairs / largest) * (BASE - 12)
    const begin = from + i * step
    return html`<rect x="${(LEFT + i * width).toFixed(2)}" y="${(BASE - height).toFixed(2)}" width="${Math.max(0.5, width - 1).toFixed(2)}" height="${height.toFixed(2)}"><title>${begin.toFixed(2)} to ${(begin + step).toFixed(2)}: ${formatCount(pairs)}</title></rect>`
  })
  const mean = stats.mean ?? from
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Similarities by ${stats.scorer} from ${from.toFixed(2)} to ${to.toFixed(2)}, mean ${mean.toFixed(3)}">
<line x1="${LEFT}" y1="${BASE}" x2="${WIDTH - LEFT}" y2="${BASE}"/>${columns}
<line class="mean" x1="${x(mean).toFixed(2)}" y1="6" x2="${x(mean).toFixed(2)}" y2="${BASE}"/>
<text x="${LEFT}" y="${HEIGHT - 8}">${from.toFixed(2)}</text><text x="${WIDTH - LEFT}" y="${HEIGHT - 8}" text-anchor="end">${to.toFixed(2)}</text>
<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">mean ${mean.toFixed(3)}</text></svg>`
}
