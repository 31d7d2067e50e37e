/** Writes ONNX models with a few nodes (onnx.proto3 of ONNX 1.10), so that a test controls exactly what is odd in a file. */

/** From `TensorProto.DataType`. */
export const TYPES = { float: 1, int32: 6, int64: 7 } as const
export type TensorType = keyof typeof TYPES

interface Value {
  readonly name: string
  readonly type: TensorType
  /** A name instead of a number marks a variable size. */
  readonly shape: readonly (number | string)[]
}

export interface Node {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Integers, or lists of them. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>
}

export interface Graph {
  readonly nodes: readonly Node[]
  readonly weights: readonly {
    readonly name: string
    readonly shape: readonly number[]
    readonly data: Float32Array | BigInt64Array
  }[]
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  /** Version of the operators; default: 13. */
  readonly opset?: number
}

function varint(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) + 128)
  }
}

const int = (field: number, value: number) => Buffer.from([...varint(field * 8), ...varint(value)])
const bytes = (field: number, value: Uint8Array | string) => {
  const data = typeof value === 'string' ? Buffer.from(value) : value
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(data.length)]), data])
}
const message = (field: number, ...parts: readonly Uint8Array[]) => bytes(field, Buffer.concat(parts))

const nodeOf = ({ op, inputs, outputs, attributes = {} }: Node) =>
  message(
    1,
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, op),
    // AttributeProto: name, i or ints, type INT = 2 or INTS = 7.
    ...Object.entries(attributes).map(([name, value]) =>
      typeof value === 'number'
        ? message(5, bytes(1, name), int(3, value), int(20, 2))
        : message(5, bytes(1, name), ...value.map((each) => int(8, each)), int(20, 7)),
    ),
  )

const valueInfo = (field: number, { name, type, shape }: Value) => {
  const dims = shape.map((size) => message(1, typeof size === 'number' ? int(1, size) : bytes(2, size)))
  return message(field, bytes(1, name), message(2, message(1, int(1, TYPES[type]), message(2, ...dims))))
}

export function onnxModel({ nodes, weights, inputs, outputs, opset = 13 }: Graph): Buffer {
  const graph = [
    ...nodes.map(nodeOf),
    bytes(2, 'test'),
    ...weights.map(({ name, shape, data }) =>
      message(
        5,
        ...shape.map((size) => int(1, size)),
        int(2, data instanceof BigInt64Array ? TYPES.int64 : TYPES.float),
        bytes(8, name),
        bytes(9, bytesOf(data)),
      ),
    ),
    ...inputs.map((value) => valueInfo(11, value)),
    ...outputs.map((value) => valueInfo(12, value)),
  ]
  return Buffer.concat([int(1, 8), message(7, ...graph), message(8, int(2, opset))])
}

const bytesOf = (data: Float32Array | BigInt64Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)

/** Mean colour of an image, times the rows of `weights` -> `image_embeds`. */
export function meanColourModel(options: {
  /** Input shape: batch, channels, height, width. */
  readonly shape: readonly (number | string)[]
  readonly type?: TensorType
  readonly inputName?: string
  /** `length` numbers per channel. */
  readonly weights: Float32Array
  /** Leaves the embeddings as [batch, channels, 1, 1]. */
  readonly flat?: false
}): Buffer {
  const { shape, type = 'float', inputName = 'pixel_values', weights, flat = true } = options
  const channels = Number(shape[1])
  const length = weights.length / channels
  const floats = type === 'float' ? inputName : 'floats'
  const toFloat: Node = { op: 'Cast', inputs: [inputName], outputs: ['floats'], attributes: { to: TYPES.float } }
  const pooled = flat ? 'pooled' : 'image_embeds'
  return onnxModel({
    nodes: [
      ...(type === 'float' ? [] : [toFloat]),
      { op: 'GlobalAveragePool', inputs: [floats], outputs: [pooled] },
      ...(flat
        ? [
            { op: 'Flatten', inputs: ['pooled'], outputs: ['colour'] },
            { op: 'MatMul', inputs: ['colour', 'weights'], outputs: ['image_embeds'] },
          ]
        : []),
    ],
    weights: flat ? [{ name: 'weights', shape: [channels, length], data: weights }] : [],
    inputs: [{ name: inputName, type, shape }],
    outputs: [{ name: 'image_embeds', type: 'float', shape: flat ? ['batch', length] : ['batch', channels, 1, 1] }],
  })
}

/** Token ids as numbers, times `weights` ([tokens, length]) -> `text_embeds`. With a mask, the ids outside it are ignored. */
export function tokenSumModel(options: {
  readonly tokens: number
  readonly weights: Float32Array
  readonly type?: TensorType
  readonly mask?: TensorType
  /** An additional input, which no CLIP has. */
  readonly extra?: string
}): Buffer {
  const { tokens, weights, type = 'int64', mask, extra } = options
  const length = weights.length / tokens
  const toFloat = (from: string, to: string): Node => ({
    op: 'Cast',
    inputs: [from],
    outputs: [to],
    attributes: { to: TYPES.float },
  })
  const shape = ['batch', tokens]
  return onnxModel({
    nodes: [
      toFloat('input_ids', 'floats'),
      ...(mask
        ? [
            toFloat('attention_mask', 'mask'),
            { op: 'Mul', inputs: ['floats', 'mask'], outputs: ['seen'] },
            { op: 'MatMul', inputs: ['seen', 'weights'], outputs: ['text_embeds'] },
          ]
        : [{ op: 'MatMul', inputs: ['floats', 'weights'], outputs: ['text_embeds'] }]),
      ...(extra ? [toFloat(extra, `${extra}_floats`)] : []),
    ],
    weights: [{ name: 'weights', shape: [tokens, length], data: weights }],
    inputs: [
      { name: 'input_ids', type, shape },
      ...(mask ? [{ name: 'attention_mask', type: mask, shape }] : []),
      ...(extra ? [{ name: extra, type: 'int64' as const, shape }] : []),
    ],
    outputs: [
      { name: 'text_embeds', type: 'float', shape: ['batch', length] },
      ...(extra ? [{ name: `${extra}_floats`, type: 'float' as const, shape }] : []),
    ],
  })
}
