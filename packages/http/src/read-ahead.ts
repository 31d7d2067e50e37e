/** What may have come and not been taken yet. */
const WAITING_BYTES = 16 * 2 ** 20

/** A connection that broke; `cause` says how. */
export class BodyFault extends Error {}

/** A body that is being read. */
export interface ReadAhead {
  /** In their order, each once. @throws BodyFault after the last chunk that came */
  chunks(): AsyncGenerator<Uint8Array>
  /** Ends the connection if the body has not ended. */
  stop(): Promise<void>
}

/**
 * Takes the chunks of a body from the connection as they come, and not only when the disk is ready for them: a stream
 * that breaks throws away what nobody has read, so a server that breaks off early would never be got past.
 */
export function readAhead(body: ReadableStream<Uint8Array> | null): ReadAhead {
  const reader = body?.getReader()
  const waiting: Uint8Array[] = []
  const state: { bytes: number; end: 'open' | 'whole' | BodyFault } = { bytes: 0, end: 'open' }
  let changed = Promise.withResolvers<void>()
  const notify = () => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  const read = async () => {
    while (reader !== undefined && state.end === 'open') {
      const { done, value } = await reader.read()
      if (done) break
      waiting.push(value)
      state.bytes += value.length
      notify()
      while (state.bytes > WAITING_BYTES && state.end === 'open') await changed.promise
    }
    state.end = 'whole'
  }
  read()
    .catch((cause) => {
      state.end = new BodyFault('The connection broke.', { cause })
    })
    .finally(notify)
  return {
    async *chunks() {
      for (;;) {
        while (waiting.length === 0 && state.end === 'open') await changed.promise
        const chunk = waiting.shift()
        if (chunk !== undefined) {
          yield chunk
          state.bytes -= chunk.length
          notify()
        } else if (state.end instanceof BodyFault) throw state.end
        else return
      }
    },
    async stop() {
      if (state.end === 'open') state.end = 'whole'
      notify()
      await reader?.cancel().catch(() => undefined)
    },
  }
}
