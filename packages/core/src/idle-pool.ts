/** Default time after which what nobody has taken ends. */
const IDLE_MS = 10_000

export interface IdlePool<T> {
  /** One that was kept in this state. Where there is none, all others end: what is made instead may need their memory. */
  take(state: string): T | undefined
  /** @param state what it can be used for again, such as the model that a thread has opened */
  keep(state: string, item: T): void
}

/**
 * Keeps what is costly to start, such as a thread, for a short while after its last use, so that what follows in the same
 * process need not start another. It keeps no process alive.
 */
export function createIdlePool<T>(end: (item: T) => void, idleMs = IDLE_MS): IdlePool<T> {
  interface Entry {
    readonly state: string
    readonly item: T
    readonly timer: NodeJS.Timeout
  }
  const entries = new Set<Entry>()
  const remove = (entry: Entry): T => {
    clearTimeout(entry.timer)
    entries.delete(entry)
    return entry.item
  }
  return {
    take(state) {
      const found = [...entries].find((entry) => entry.state === state)
      if (found !== undefined) return remove(found)
      for (const entry of entries) end(remove(entry))
      return undefined
    },
    keep(state, item) {
      const timer = setTimeout(() => end(remove(entry)), idleMs).unref()
      const entry: Entry = { state, item, timer }
      entries.add(entry)
    },
  }
}
