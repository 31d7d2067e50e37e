import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fitLogistic } from '../../packages/benchmark/src/probe/logistic-regression.ts'
import { numbers, unitVector } from '../../packages/benchmark/test/vectors.ts'
import { python } from './python.ts'

const [CLASSES, LENGTH] = [6, 32]

test("logistic regression is scikit-learn's, from the strongest penalty to the weakest", async () => {
  const next = numbers(17)
  const examples = Array.from({ length: 120 }, (_, i) => {
    const vector = unitVector(next, LENGTH)
    return { vector, label: (i + (vector[0]! > 0 ? 1 : 0)) % CLASSES }
  })
  const strengths = [0.1, 10, 1000]
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-probe-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = join(folder, 'examples.json')
  const vectors = examples.map(({ vector }) => [...vector])
  await writeFile(file, JSON.stringify({ vectors, labels: examples.map(({ label }) => label), strengths }))
  const theirs = python<number[][][]>('plain', 'logistic_regression.py', [file])
  const ours = await fitLogistic(examples, CLASSES, strengths)
  // Biases may all be shifted by one number, which changes no probability.
  const probabilities = (fit: readonly ArrayLike<number>[], vector: Float32Array) => {
    const logits = fit.map((weights) => vector.reduce((sum, each, k) => sum + each * weights[k]!, weights[LENGTH]!))
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
    return logits.map((logit) => Math.exp(logit) / total)
  }
  for (const [i, fit] of ours.entries())
    for (const { vector } of examples)
      for (const [c, share] of probabilities(fit, vector).entries())
        expect(Math.abs(share - probabilities(theirs[i]!, vector)[c]!), `C = ${strengths[i]}`).toBeLessThan(1e-3)
})
