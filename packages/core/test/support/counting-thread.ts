import { setTimeout as sleep } from 'node:timers/promises'
import { serveThread } from '../../src/threads.ts'

let calls = 0

/** A thread that remembers how often it was called. */
serveThread({
  async count() {
    return { value: ++calls }
  },
  async wait() {
    await sleep(60_000)
    return { value: null }
  },
})
