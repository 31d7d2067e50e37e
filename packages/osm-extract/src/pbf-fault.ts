import { InputError } from '@skyscript/core'

/** A file that isn't what it should be. `offset` is the byte in the file at which the faulty blob starts. */
export class PbfFault extends InputError {
  readonly offset: number

  constructor(code: string, what: string, offset: number) {
    super(code, `${what} (at byte ${offset}).`)
    this.offset = offset
  }
}
