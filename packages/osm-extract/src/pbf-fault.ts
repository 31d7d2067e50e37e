import { type ErrorCodec, type ErrorData, errorFromData, errorToData, InputError } from '@skyscript/core'

/** Where in which file a blob starts, in bytes. */
export interface Origin {
  readonly path: string
  readonly offset: number
}

/** A file that isn't what it should be. `origin` is where the faulty blob starts. */
export class PbfFault extends InputError {
  readonly what: string
  readonly origin: Origin

  /** @param what continues a sentence that starts with the file's name: "is damaged: …" */
  constructor(code: string, what: string, origin: Origin) {
    super(code, `${origin.path} ${what} (at byte ${origin.offset}).`)
    this.what = what
    this.origin = origin
  }

  /** In bytes. */
  get offset(): number {
    return this.origin.offset
  }
}

type FaultData = ErrorData | Pick<PbfFault, 'code' | 'what' | 'origin'>

/** Brings faults out of threads whole. */
export const faultCodec: ErrorCodec<FaultData> = {
  toData: (error) =>
    error instanceof PbfFault ? { code: error.code, what: error.what, origin: error.origin } : errorToData(error),
  fromData: (data) => ('what' in data ? new PbfFault(data.code, data.what, data.origin) : errorFromData(data)),
}
