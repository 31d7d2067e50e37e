import { availableParallelism } from 'node:os'
import { InferenceSession, Tensor } from 'onnxruntime-node'

// onnxruntime sends usage reports to its makers by default; users of this package have not agreed to that.
process.env.ORT_DISABLE_TELEMETRY ??= '1'

/** Dot products of all rows of `a` with all rows of `b`, in single precision: a row of them for each row of `a`. */
export type Multiply = (a: Float32Array, b: Float32Array) => Promise<Float32Array>

/**
 * Opens a matrix product that uses all cores and their vector instructions.
 *
 * @param length of the rows of both factors
 */
export async function openProducts(length: number): Promise<{ readonly multiply: Multiply; close(): Promise<void> }> {
  const session = await InferenceSession.create(PRODUCT, {
    intraOpNumThreads: availableParallelism(),
    logSeverityLevel: 3,
  })
  const tensor = (rows: Float32Array) => new Tensor('float32', rows, [rows.length / length, length])
  return {
    multiply: async (a, b) => (await session.run({ a: tensor(a), b: tensor(b) })).c!.data as Float32Array,
    close: () => session.release(),
  }
}

// An ONNX model (onnx.proto of ONNX 1.10) of one node: c = Gemm(a, b, transB=1).
const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
const integer = (field: number, value: number) => Buffer.from([...varint(field * 8), ...varint(value)])
function message(field: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(content.length)]), content])
}
const text = (field: number, value: string) => message(field, Buffer.from(value))

const FLOAT = 1
const INT_ATTRIBUTE = 2
const matrix = (field: number, name: string, rows: string, columns: string) => {
  const shape = message(2, message(1, text(2, rows)), message(1, text(2, columns)))
  return message(field, text(1, name), message(2, message(1, integer(1, FLOAT), shape)))
}
const transposed = message(5, text(1, 'transB'), integer(3, 1), integer(20, INT_ATTRIBUTE))
const PRODUCT = Buffer.concat([
  integer(1, 8),
  message(
    7,
    message(1, text(1, 'a'), text(1, 'b'), text(2, 'c'), text(4, 'Gemm'), transposed),
    text(2, 'products'),
    matrix(11, 'a', 'm', 'k'),
    matrix(11, 'b', 'n', 'k'),
    matrix(12, 'c', 'm', 'n'),
  ),
  message(8, integer(2, 13)),
])
