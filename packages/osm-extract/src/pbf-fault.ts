import { InputError } from '@skyscript/core'

/** Where in which file a blob starts, in bytes. */
export interface Origin {
  readonly path: string
  readonly offset: number
}

/** A file that isn't what it should be. `offset` is the byte in the file at which the faulty blob starts. */
export class PbfFault extends InputError {
  readonly offset: number

  /** @param what goes on where the file's name ends: "is damaged: …" */
  constructor(code: string, what: string, { path, offset }: Origin) {
    super(code, `${path} ${what} (at byte ${offset}).`)
    this.offset = offset
  }
}
