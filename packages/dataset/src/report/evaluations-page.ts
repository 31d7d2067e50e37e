import type { Storage } from '@skyscript/core'
import { type ResultTable, readEvaluations, resultTables } from '../evaluations/index.ts'
import type { DatasetLock } from '../lock.ts'
import { EVALUATIONS_REPORT } from '../names.ts'
import { type Html, html } from './html.ts'
import { STYLE_MARKUP } from './style.ts'

/**
 * Writes the page of saved results. Like the page of changes it is not in the lock, since it depends on more than the dataset.
 *
 * @throws InputError `bad-evaluations`
 */
export async function writeEvaluationsPage(
  storage: Storage,
  lock: Pick<DatasetLock, 'config' | 'files'>,
): Promise<void> {
  const tables = resultTables(await readEvaluations(storage, lock))
  await storage.put(EVALUATIONS_REPORT, evaluationsPage(lock.config.name, tables))
}

export function evaluationsPage(name: string, tables: readonly ResultTable[]): string {
  const none = html`<section class="card"><p>None yet. <code>skyscript evaluate --benchmarks &lt;this dataset&gt; --save &lt;this dataset&gt;</code> measures a model and adds its figures here.</p></section>`
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${name}: results</title><style>${STYLE_MARKUP}</style></head><body><main>
<h1>Results on the benchmark sets</h1><p class="soft">${name}, saved by skyscript evaluate. <a href="benchmarks.html">Benchmark sets</a> · <a href="index.html">Report</a></p>
${tables.length === 0 ? none : tables.map(card)}
</main></body></html>
`
  return page.markup
}

function card({ set, column, head, rows }: ResultTable): Html {
  const cell = (text: string, i: number) =>
    i === 0 || i >= head.length - 2 ? html`<td><bdi>${text}</bdi></td>` : html`<td class="n">${text}</td>`
  return html`<section class="card"><h2>${set}</h2><p class="soft small">Column <code>${column}</code></p><div class="scroll"><table><tr>${head.map(
    (text, i) => (i === 0 || i >= head.length - 2 ? html`<th>${text}</th>` : html`<th class="n">${text}</th>`),
  )}</tr>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</table></div></section>`
}
