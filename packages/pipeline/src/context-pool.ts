import type { RunContext } from './context.ts'

/** Contexts that no job uses are kept open this many at a time, for the next job of their run. */
export const CONTEXTS_IN_MEMORY = 2

/** A context on loan; `release` gives it back, once. */
export interface BorrowedContext {
  readonly context: RunContext
  release(): void
}

export interface ContextPool {
  /** The context of a run, opened for the first of its jobs. What can't be opened is tried again by the next job. */
  borrow(key: string): Promise<BorrowedContext>
  /** Closes every context, those on loan too. */
  close(): Promise<void>
}

/**
 * Shares contexts between the jobs of a run by counting who uses them: a context is closed only when no job uses it and
 * more than CONTEXTS_IN_MEMORY others were used since. So a worker can serve any number of datasets at once.
 */
export function createContextPool(open: (key: string) => Promise<RunContext>): ContextPool {
  interface Entry {
    readonly opening: Promise<RunContext>
    users: number
  }
  /** Least recently used first. */
  const entries = new Map<string, Entry>()
  const closing = new Set<Promise<void>>()

  const retire = (key: string, { opening }: Entry) => {
    entries.delete(key)
    // A context that could not be opened has nothing to close, and its job was told why.
    const closed = opening.then((context) => context.close()).catch(() => {})
    closing.add(closed)
    void closed.then(() => closing.delete(closed))
  }

  const giveBack = (entry: Entry) => {
    entry.users--
    const idle = [...entries].filter(([, { users }]) => users === 0)
    for (const [key, each] of idle.slice(0, Math.max(0, idle.length - CONTEXTS_IN_MEMORY))) retire(key, each)
  }

  return {
    async borrow(key) {
      const entry = entries.get(key) ?? { opening: open(key), users: 0 }
      entry.users++
      entries.delete(key)
      entries.set(key, entry)
      try {
        const context = await entry.opening
        let released = false
        return {
          context,
          release() {
            if (!released) giveBack(entry)
            released = true
          },
        }
      } catch (error) {
        if (entries.get(key) === entry) entries.delete(key)
        throw error
      }
    },
    async close() {
      for (const [key, entry] of [...entries]) retire(key, entry)
      await Promise.all(closing)
    },
  }
}
