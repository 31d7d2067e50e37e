/** In plain memory, not shared between threads. */
export type Floats = Float32Array<ArrayBuffer>

/** Row-major. Sums run in a fixed order, so that they repeat. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  readonly data: Floats
}

export function matrix(rows: number, columns: number, data: Floats = new Float32Array(rows * columns)): Matrix {
  if (data.length !== rows * columns) throw new TypeError(`${rows} x ${columns} needs ${rows * columns} values.`)
  return { rows, columns, data }
}

/** a b */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const { rows, columns: inner } = a
  const { columns } = b
  const out = matrix(rows, columns)
  const [target, left, right] = [out.data, a.data, b.data]
  for (let i = 0; i < rows; i++) {
    const t = i * columns
    let k = 0
    // Four rows of b at a time: the sums are read and written a quarter as often, which is what takes the time.
    for (; k + 4 <= inner; k += 4) {
      const at = i * inner + k
      const [f0, f1, f2, f3] = [left[at]!, left[at + 1]!, left[at + 2]!, left[at + 3]!]
      const r = k * columns
      for (let j = 0; j < columns; j++) {
        const q = r + j
        target[t + j]! +=
          f0 * right[q]! + f1 * right[q + columns]! + f2 * right[q + 2 * columns]! + f3 * right[q + 3 * columns]!
      }
    }
    for (; k < inner; k++) {
      const factor = left[i * inner + k]!
      for (let j = 0; j < columns; j++) target[t + j]! += factor * right[k * columns + j]!
    }
  }
  return out
}

/** transposed(a) b */
export function multiplyTransposed(a: Matrix, b: Matrix): Matrix {
  return multiply(transposed(a), b)
}

/** a transposed(b) */
export function multiplyByTransposed(a: Matrix, b: Matrix): Matrix {
  return multiply(a, transposed(b))
}

function transposed({ rows, columns, data }: Matrix): Matrix {
  const out = matrix(columns, rows)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out.data[j * rows + i] = data[i * columns + j]!
  return out
}

/** Rows of length 1, and the lengths they had. */
export function normalised({ rows, columns, data }: Matrix): { unit: Matrix; lengths: Float32Array } {
  const unit = matrix(rows, columns)
  const lengths = new Float32Array(rows)
  for (let i = 0; i < rows; i++) {
    let sum = 1e-12
    for (let j = 0; j < columns; j++) sum += data[i * columns + j]! ** 2
    lengths[i] = Math.sqrt(sum)
    for (let j = 0; j < columns; j++) unit.data[i * columns + j] = data[i * columns + j]! / lengths[i]!
  }
  return { unit, lengths }
}

/** The gradient before `normalised`, from the gradient after it. */
export function throughNormalised(unit: Matrix, lengths: Float32Array, gradient: Matrix): Matrix {
  const out = matrix(unit.rows, unit.columns)
  const { columns } = unit
  for (let i = 0; i < unit.rows; i++) {
    let along = 0
    for (let j = 0; j < columns; j++) along += unit.data[i * columns + j]! * gradient.data[i * columns + j]!
    for (let j = 0; j < columns; j++) {
      const at = i * columns + j
      out.data[at] = (gradient.data[at]! - along * unit.data[at]!) / lengths[i]!
    }
  }
  return out
}

/** Adds one row to every row. */
export function addToRows({ rows, columns, data }: Matrix, row: Float32Array): void {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[i * columns + j]! += row[j]!
}

export function sumOfRows({ rows, columns, data }: Matrix): Float32Array {
  const sum = new Float32Array(columns)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) sum[j]! += data[i * columns + j]!
  return sum
}
