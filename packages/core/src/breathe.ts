import { setImmediate as nextTurn } from 'node:timers/promises'

/** Long work gives the event loop a turn this often: locks are renewed, signals heard and progress drawn meanwhile. */
const TURN_MS = 25

/**
 * For loops over many small things: to be called every few hundred of them.
 *
 * @returns what lets others have their turn if some time has passed since the last one
 */
export function breather(): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < TURN_MS) return
    return nextTurn().then(() => {
      since = performance.now()
    })
  }
}
