import type { ReplicationServer } from './replication-server.ts'
import type { ReplicationState } from './state-file.ts'

const DAY_MS = 86_400_000
const timeOf = ({ timestamp }: ReplicationState) => Date.parse(timestamp)

/**
 * The newest state of a server that holds nothing newer than a time, found by bisecting its state files: a map of that
 * time lacks the changes after it.
 *
 * @param time milliseconds since 1970 UTC
 * @returns null if the server no longer has the changes after that time
 */
export async function findSequence(
  server: Pick<ReplicationServer, 'state'>,
  latest: ReplicationState,
  time: number,
): Promise<number | null> {
  if (timeOf(latest) <= time) return latest.sequence
  // `after` is newer than the time; `before` is not, or there is no such file.
  let after = latest
  let before = latest.sequence
  let isKept = true
  const look = async (sequence: number): Promise<void> => {
    const state = sequence < 0 ? null : await server.state(sequence)
    if (state !== null && timeOf(state) > time) {
      after = state
      return
    }
    before = sequence
    isKept = state !== null
  }
  for (let step = 1; before === latest.sequence; step *= 2) await look(Math.max(-1, latest.sequence - step))
  while (after.sequence - before > 1) await look(Math.floor((before + after.sequence) / 2))
  if (isKept) return before
  // The oldest file that it has: it is taken to span as much time as the one after it.
  const next = after.sequence < latest.sequence ? await server.state(after.sequence + 1) : null
  const length = next === null ? DAY_MS : timeOf(next) - timeOf(after)
  return timeOf(after) - length <= time ? before : null
}
