import type { Accuracy, Retrieval } from '@skyscript/benchmark'
import { expect, test } from 'vitest'
import { COMPARE_FORMATS, type ComparedModel } from './compare-output.ts'
import type { Evaluation } from './evaluations.ts'

const evaluation = (set: string, result: Accuracy | Retrieval): Evaluation => ({
  ...{
    set,
    model: 'm',
    column: 'label',
    task: 'top1' in result ? 'classification' : 'retrieval',
    split: 'test',
    result,
  },
  ...{ skipped: {}, content: '0', fingerprint: '1', textsCut: 0, dataset: null, map: null },
})
const accuracy = (top1: number) => ({ n: 100, top1, top5: 1, correct1: 100 * top1, correct5: 100, classes: [] })
const recalls = (first: number) => ({ 'R@1': first, 'R@5': 0.5, 'R@10': 0.75, 'R@100': 1 })
const retrieval = { images: 1200, texts: 300, image_to_text: recalls(0.125), text_to_image: recalls(0.25) }

const models: ComparedModel[] = ['a|b', './mine'].map((model, i) => ({
  model,
  average: i === 0 ? null : 0.61234,
  evaluations: [
    ['aid', evaluation('aid', accuracy(0.5 + i / 8))],
    ['RSICD', evaluation('RSICD', retrieval)],
  ],
}))

test('a Markdown table has a row for each model, and one for each published average', () => {
  const lines = COMPARE_FORMATS.markdown(models).split('\n')
  expect(lines.slice(2, 7)).toEqual([
    '| model | average | aid |',
    '| --- | --- | --- |',
    '| a\\|b |  | 50.00 |',
    '| ./mine | 61.23 | 62.50 |',
    '| laion2b_e16 (OpenCLIP), ViT-B-32 (published) | 49.66 |  |',
  ])
  expect(lines).toContain('| RSICD, text to image | ./mine | 1,200 | 300 | 25.00 | 50.00 | 75.00 | 100.00 |')
})

test('CSV has a row for each figure, as a share', () => {
  const lines = COMPARE_FORMATS.csv(models).split('\n')
  expect(lines[0]).toBe('model,source,set,column,figure,value')
  expect(lines).toContain('./mine,measured,RSICD,label,image_to_text.R@1,0.125')
  expect(lines).toContain('./mine,measured,average,label,top1,0.61234')
  expect(lines.filter((line) => line.startsWith('a|b,measured,average'))).toEqual([])
  expect(lines).toContain('"SkyCLIP_ViT_L14_top50pct, ViT-L-14",published,average,label,top1,0.5993')
})
