import { above } from './above.ts'
import type { Cut } from './cut.ts'
import { top } from './top.ts'

/** Every way to cut a ranking, in the order of the lock's files. */
export const CUTS: readonly Cut[] = [top, above]
