import { ProtoWriter } from './protobuf.ts'

/** TensorProto.DataType of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3, as far as it is needed here. */
const DATA_TYPES = { float: 1, int64: 7 } as const
type DataType = keyof typeof DATA_TYPES

/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, ints: 7 } as const

/** IR version 8 and operator set 17 are what ONNX 1.12 to 1.19 and every onnxruntime since 1.12 read. */
const IR_VERSION = 8
const OPSET = 17

/** A whole number is an int attribute, a list an ints attribute, `{ float }` a float attribute. */
export type Attribute = number | readonly number[] | { readonly float: number }

/** A number is a fixed size, a name such as `batch` one that is known only when the model runs. */
export type Dimension = number | string

/** Names a value that flows between the nodes of one graph. */
export type Value = string

interface Node {
  readonly operator: string
  readonly inputs: readonly Value[]
  readonly output: Value
  readonly attributes: Readonly<Record<string, Attribute>>
}

interface Port {
  readonly name: Value
  readonly type: DataType
  readonly dimensions: readonly Dimension[]
}

/**
 * Builds one ONNX model: declare inputs, add constants and nodes, declare outputs, then write it. Operators and their
 * attributes are those of https://onnx.ai/onnx/operators/; nothing is checked here, onnxruntime does so on loading.
 *
 * @example
 * const graph = new OnnxGraph('double')
 * const x = graph.input('x', 'float', ['batch', 4])
 * graph.output(graph.node('Mul', [x, graph.constant([2], [1])]), 'y', ['batch', 4])
 * writeFileSync('double.onnx', graph.finish())
 */
export class OnnxGraph {
  readonly #name: string
  readonly #nodes: Node[] = []
  readonly #inputs: Port[] = []
  readonly #outputs: Port[] = []
  readonly #constants: { name: Value; type: DataType; dimensions: readonly number[]; data: Uint8Array }[] = []

  constructor(name: string) {
    this.#name = name
  }

  input(name: string, type: DataType, dimensions: readonly Dimension[]): Value {
    this.#inputs.push({ name, type, dimensions })
    return name
  }

  /** Float values in row-major order. */
  constant(values: ArrayLike<number>, dimensions: readonly number[]): Value {
    const floats = Float32Array.from(values)
    const count = dimensions.reduce((product, size) => product * size, 1)
    if (floats.length !== count) {
      throw new TypeError(`A constant of ${dimensions.join(' x ')} needs ${count} values, not ${floats.length}.`)
    }
    return this.#constant('float', dimensions, new Uint8Array(floats.buffer))
  }

  /** A list of int64 values, as shapes and axes are given. */
  integers(values: readonly number[]): Value {
    return this.#constant('int64', [values.length], new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer))
  }

  /** Adds a node with one output. */
  node(operator: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    const output = `${operator.toLowerCase()}_${this.#nodes.length}`
    this.#nodes.push({ operator, inputs, output, attributes })
    return output
  }

  /** Makes a float value an output of the model under a name of its own. */
  output(value: Value, name: string, dimensions: readonly Dimension[]): void {
    this.#nodes.push({ operator: 'Identity', inputs: [value], output: name, attributes: {} })
    this.#outputs.push({ name, type: 'float', dimensions })
  }

  /** The ModelProto. */
  finish(): Uint8Array {
    return new ProtoWriter()
      .integer(1, IR_VERSION)
      .bytes(2, 'skyscript-demo')
      .message(7, (graph) => {
        for (const node of this.#nodes) graph.message(1, (writer) => writeNode(writer, node))
        graph.bytes(2, this.#name)
        for (const { name, type, dimensions, data } of this.#constants) {
          graph.message(5, (tensor) => {
            for (const size of dimensions) tensor.integer(1, size)
            tensor.integer(2, DATA_TYPES[type]).bytes(8, name).bytes(9, data)
          })
        }
        for (const port of this.#inputs) graph.message(11, (writer) => writePort(writer, port))
        for (const port of this.#outputs) graph.message(12, (writer) => writePort(writer, port))
      })
      .message(8, (opset) => opset.bytes(1, '').integer(2, OPSET))
      .finish()
  }

  #constant(type: DataType, dimensions: readonly number[], data: Uint8Array): Value {
    const name = `constant_${this.#constants.length}`
    this.#constants.push({ name, type, dimensions, data })
    return name
  }
}

function writeNode(writer: ProtoWriter, { operator, inputs, output, attributes }: Node): void {
  for (const input of inputs) writer.bytes(1, input)
  writer.bytes(2, output).bytes(3, output).bytes(4, operator)
  for (const [name, value] of Object.entries(attributes)) {
    writer.message(5, (attribute) => {
      attribute.bytes(1, name)
      if (typeof value === 'number') attribute.integer(3, value).integer(20, ATTRIBUTE_TYPES.int)
      else if ('float' in value) attribute.float(2, value.float).integer(20, ATTRIBUTE_TYPES.float)
      else {
        for (const item of value) attribute.integer(8, item)
        attribute.integer(20, ATTRIBUTE_TYPES.ints)
      }
    })
  }
}

/** ValueInfoProto with a TypeProto.Tensor. */
function writePort(writer: ProtoWriter, { name, type, dimensions }: Port): void {
  writer.bytes(1, name).message(2, (outer) =>
    outer.message(1, (tensor) =>
      tensor.integer(1, DATA_TYPES[type]).message(2, (shape) => {
        for (const dimension of dimensions) {
          shape.message(1, (writer) =>
            typeof dimension === 'number' ? writer.integer(1, dimension) : writer.bytes(2, dimension),
          )
        }
      }),
    ),
  )
}
