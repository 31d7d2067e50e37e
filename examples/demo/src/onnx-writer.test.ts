import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { OnnxGraph } from './onnx-writer.ts'

test('onnxruntime computes what a written graph says, for any batch', async () => {
  const graph = new OnnxGraph('affine')
  const x = graph.input('x', 'float', ['batch', 2])
  const y = graph.node('Gemm', [x, graph.constant([1, 2, 3, 4], [2, 2]), graph.constant([10, 20], [2])], {
    alpha: { float: 0.5 },
  })
  graph.output(graph.node('Softmax', [y], { axis: -1 }), 'shares', ['batch', 2])
  graph.output(y, 'y', ['batch', 2])
  const session = await InferenceSession.create(graph.finish())
  expect(session.inputNames).toEqual(['x'])
  for (const rows of [1, 3]) {
    const input = Float32Array.from({ length: rows * 2 }, (_, index) => (index % 2 === 0 ? 2 : 4))
    const result = await session.run({ x: new Tensor('float32', input, [rows, 2]) })
    expect(result.y!.dims).toEqual([rows, 2])
    expect([...(result.y!.data as Float32Array)].slice(0, 2)).toEqual([17, 30])
    expect((result.shares!.data as Float32Array)[0]!).toBeCloseTo(1 / (1 + Math.exp(13)), 9)
  }
  await session.release()
})

test('int64 inputs, constants of int64 and lists of ints are written as onnxruntime reads them', async () => {
  const graph = new OnnxGraph('rows')
  const ids = graph.input('ids', 'int64', ['batch', 'sequence'])
  const rows = graph.node('Gather', [graph.constant([1, 2, 30, 40], [2, 2]), ids])
  graph.output(graph.node('ReduceSum', [rows, graph.integers([1])], { keepdims: 0 }), 'sum', ['batch', 2])
  graph.output(graph.node('Transpose', [rows], { perm: [2, 0, 1] }), 'turned', [2, 'batch', 'sequence'])
  const session = await InferenceSession.create(graph.finish())
  const { sum, turned } = await session.run({ ids: new Tensor('int64', BigInt64Array.of(0n, 1n, 1n), [1, 3]) })
  expect([...(sum!.data as Float32Array)]).toEqual([61, 82])
  expect([...(turned!.data as Float32Array)]).toEqual([1, 30, 30, 2, 40, 40])
  await session.release()
})

test('a constant whose shape does not fit its values is refused', () => {
  expect(() => new OnnxGraph('x').constant([1, 2, 3], [2, 2])).toThrow('2 x 2 needs 4 values, not 3')
})
