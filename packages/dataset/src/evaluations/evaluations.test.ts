import { expect, test } from 'vitest'
import { openWithSets, ROOFS, SCENES } from '../../test/support/benchmark-sets.ts'
import { createTestDataset } from '../../test/support/test-dataset.ts'
import { contentHash } from '../benchmarks/index.ts'
import { readSheets } from '../benchmarks/sheets.ts'
import { cardOf } from '../export/card.ts'
import { writeEvaluationsPage } from '../report/evaluations-page.ts'
import { readEvaluations } from './index.ts'

const ABOUT = { dataset: 'f0'.repeat(16), map: '2026-01-02T03:04:05Z' }

async function saved() {
  const { rows } = await createTestDataset()
  const content = (images: number, labelOf: (i: number) => string) =>
    contentHash(
      rows.slice(0, images).flatMap(({ sha256 }, i) => (labelOf(i) === '' ? [] : [{ sha256, value: labelOf(i) }])),
    )
  const classified = (model: string, set: string, column: string, hash: string, top1: number) => ({
    ...{ set, model, column, task: 'classification', content: hash, ...ABOUT },
    result: { n: 15, top1, top5: 1, correct1: 9, correct5: 15, classes: [] },
  })
  return [
    classified(
      'tiny',
      'roof_shape',
      'label_v2',
      content(8, (i) => (i === 0 ? '' : ROOFS.label_v2[i % 2]!)),
      0.5,
    ),
    classified(
      'tiny',
      'SkyScript_cls',
      'label',
      content(15, (i) => SCENES[i % 5]!),
      0.6,
    ),
    classified(
      'other',
      'SkyScript_cls',
      'label',
      content(15, (i) => SCENES[(i + 1) % 5]!),
      0.4,
    ),
    {
      ...{ set: 'SkyScript_retrieval', model: 'tiny', column: 'title_multi_objects', task: 'retrieval', ...ABOUT },
      content: content(10, (i) => (i === 3 ? `two\u2028lines of ${rows[i]!.id}` : rows[i]!.title_multi_objects)),
      result: {
        images: 10,
        texts: 6,
        image_to_text: { 'R@1': 0.1, 'R@5': 0.5 },
        text_to_image: { 'R@1': 0.2, 'R@5': 0.7 },
      },
    },
    classified('tiny', 'gone', 'label', 'x', 0.1),
  ]
}

test('results are shown by set, and those on other images or labels than the set has now as stale', async () => {
  const dataset = await openWithSets()
  await dataset.storage.put('evaluations.json', JSON.stringify(await saved()))
  const evaluations = await readEvaluations(dataset.storage, dataset.lock)
  expect(evaluations.map(({ set, model, isStale }) => `${set} ${model} ${isStale}`)).toEqual([
    ...['SkyScript_cls other true', 'SkyScript_cls tiny false', 'SkyScript_retrieval tiny false'],
    ...['gone tiny true', 'roof_shape tiny false'],
  ])
  await writeEvaluationsPage(dataset.storage, dataset.lock)
  const page = Buffer.from(dataset.storage.files.get('report/evaluations.html')!).toString()
  expect(page).toContain('60.0 %')
  expect(page).toContain('2026-01-02')
  expect(page.match(/the set has changed since: measure again/g)).toHaveLength(2)
})

test('the card has sizes, classes and samples of the sets, and results with model and date of the map', async () => {
  const dataset = await openWithSets()
  await dataset.storage.put('evaluations.json', JSON.stringify(await saved()))
  const facts = { pairs: 40, sources: [], dates: null }
  expect(cardOf(dataset, facts)).not.toContain('Benchmark sets')
  const sheets = await readSheets(dataset.storage, ['SkyScript_cls', 'roof_shape', 'SkyScript_retrieval'], {
    ...{ scorers: ['openai'], seed: 51 },
  })
  const evaluations = await readEvaluations(dataset.storage, dataset.lock)
  const card = cardOf(dataset, facts, { sheets, evaluations })
  expect(card).toContain('| `SkyScript_cls` | 15 | 5: beach, hospital, glacier, island, lake |')
  expect(card).toContain('2: roof shape of flat, roof shape of gabled<br>2: flat, pitched |')
  expect(card).toContain('| `SkyScript_retrieval` | 10 | captions |')
  expect(card).toMatch(/\| `SkyScript_cls` \| `images\d\/[^`]+\.jpg` \| glacier \| a satellite image of /)
  expect(card).toContain('| tiny | 15 | 60.0 % | 100.0 % | 2026-01-02 |  |')
  expect(card).toContain('| other | 15 | 40.0 % | 100.0 % | 2026-01-02 | the set has changed since: measure again |')
  expect(card).toContain('| tiny | 10 | 6 | 10.0 % | 50.0 % | 20.0 % | 70.0 % | 2026-01-02 |  |')
})

test('a record that can’t be read makes results stale, and stops a card with a sentence', async () => {
  const { storage, lock } = await openWithSets()
  await storage.put('evaluations.json', JSON.stringify(await saved()))
  await storage.put('SkyScript_cls/benchmark.json', '{')
  const shown = await readEvaluations(storage, lock)
  expect(shown.filter(({ set, isStale }) => set === 'SkyScript_cls' && isStale)).toHaveLength(2)
  await expect(readSheets(storage, ['SkyScript_cls'], { scorers: ['openai'], seed: 51 })).rejects.toMatchObject({
    ...{ code: 'bad-benchmark', message: expect.stringContaining('it is not JSON') },
  })
})

test.each(['{', '[{"set": 3}]'])('a file of results that says %s is refused', async (text) => {
  const { storage, lock } = await openWithSets()
  await storage.put('evaluations.json', text)
  await expect(readEvaluations(storage, lock)).rejects.toMatchObject({ code: 'bad-evaluations' })
})
