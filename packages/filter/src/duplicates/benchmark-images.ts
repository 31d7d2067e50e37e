import type { Progress } from '@skyscript/core'
import type { Hashes } from './near-duplicates.ts'

export interface BenchmarkImages {
  readonly files: readonly string[]
  readonly hashes: Hashes
  readonly unreadable: readonly { readonly file: string; readonly why: string }[]
  readonly fingerprint: string
}

export async function readBenchmarkImages(_folder: string, _progress: Progress): Promise<BenchmarkImages> {
  throw new Error('to be merged')
}
