import { TAR_END, tarEntry, tarSize } from './tar.ts'

/** About 5,000 pairs: small enough that every loader of a small set gets shards, large enough for sequential reads. */
export const SHARD_BYTES = 100_000_000

/** Files that belong together, as parts of a tar archive. */
export interface Sample {
  /** Size in the tar file. */
  readonly bytes: number
  readonly pieces: readonly Uint8Array[]
}

export function sampleOf(files: readonly (readonly [name: string, content: Uint8Array])[]): Sample {
  return {
    bytes: files.reduce((total, [, content]) => total + tarSize(content.length), 0),
    pieces: files.flatMap(([name, content]) => tarEntry(name, content)),
  }
}

export interface TarShard {
  /** Of the tar file, to be read once. */
  readonly pieces: AsyncIterable<Uint8Array>
  /** What was read of it. */
  size(): { readonly samples: number; readonly bytes: number }
}

/**
 * Tar archives of samples in their order. Each must be read to its end before the next.
 *
 * @param shardBytes maximum size in bytes; a larger sample gets its own archive
 */
export async function* tarShards(
  samples: AsyncGenerator<Sample>,
  { shardBytes, signal }: { readonly shardBytes: number; readonly signal: AbortSignal },
): AsyncGenerator<TarShard> {
  try {
    let next = await samples.next()
    while (!next.done) {
      let count = 0
      let bytes = TAR_END.length
      const pieces = async function* () {
        while (!next.done && (count === 0 || bytes + next.value.bytes <= shardBytes)) {
          signal.throwIfAborted()
          yield* next.value.pieces
          count++
          bytes += next.value.bytes
          next = await samples.next()
        }
        yield TAR_END
      }
      yield { pieces: pieces(), size: () => ({ samples: count, bytes }) }
    }
  } finally {
    // If a shard can't be written, this closes the samples and removes their temporary files.
    await samples.return(undefined)
  }
}
