import { expect, test } from 'vitest'
import { fitProbe, withOne } from '../src/index.ts'
import { fitLogistic } from '../src/probe/logistic-regression.ts'
import { numbers, unitVector, unitVectors } from './vectors.ts'

const CLASSES = ['beach', 'forest', 'lake', 'quarry']

/** Images around a direction for each class. */
function images(seed: number, each: number) {
  const centres = unitVectors(9, CLASSES.length, 16)
  const next = numbers(seed)
  return Array.from({ length: each * CLASSES.length }, (_, i) => {
    const label = i % CLASSES.length
    const noise = unitVector(next, 16)
    const vector = centres[label]!.map((value, k) => value + 0.9 * noise[k]!)
    const norm = Math.hypot(...vector)
    return { id: `${seed}-${i}`, label, vector: vector.map((value) => value / norm) }
  })
}

test('the gradient vanishes at the fit, and a weaker penalty fits the examples better', async () => {
  const examples = images(1, 12)
  const C = 10
  const [fit] = await fitLogistic(examples, CLASSES.length, [C])
  const gradient = fit!.map(() => new Float64Array(17))
  for (const { vector, label } of examples) {
    const extended = withOne(vector)
    const logits = fit!.map((weights) => weights.reduce((sum, weight, k) => sum + weight * extended[k]!, 0))
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
    for (const [c, logit] of logits.entries()) {
      const error = Math.exp(logit) / total - (c === label ? 1 : 0)
      for (let k = 0; k < 17; k++) gradient[c]![k]! += error * extended[k]!
    }
  }
  for (const [c, own] of gradient.entries())
    for (let k = 0; k < 17; k++) expect(own[k]! + (k < 16 ? fit![c]![k]! / C : 0)).toBeCloseTo(0, 3)
})

test('a probe is the same in any order of images, learns from the shots only, and finds the classes of new images', async () => {
  const training = images(1, 20)
  const probe = await fitProbe(training, CLASSES, 8)
  expect(probe.images).toBe(32)
  expect(await fitProbe(training.toReversed(), CLASSES, 8)).toEqual(probe)
  const right = images(2, 50).filter(({ vector, label }) => {
    const extended = withOne(vector)
    const logits = probe.vectors.map((weights) => weights.reduce((sum, weight, k) => sum + weight * extended[k]!, 0))
    return logits.indexOf(Math.max(...logits)) === label
  })
  expect(right.length / 200).toBeGreaterThan(0.6)
  await expect(
    fitProbe(
      training.filter(({ label }, i) => label > 0 || i === 0),
      CLASSES,
      8,
    ),
  ).rejects.toThrow('The class "beach" has 1 training image; a probe needs at least 2 of each class.')
})
