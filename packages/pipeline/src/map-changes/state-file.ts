/** How far a replication server, or a map, has come. */
export interface ReplicationState {
  readonly sequence: number
  /** ISO 8601 UTC: changes until then are contained. */
  readonly timestamp: string
}

/**
 * Reads a `state.txt`: Java properties, of which `sequenceNumber` and `timestamp` count.
 * https://wiki.openstreetmap.org/wiki/Planet.osm/diffs
 *
 * @returns null for a file that is not whole
 */
export function parseState(text: string): ReplicationState | null {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [key = '', ...value] = line.replace(/#.*/, '').replaceAll('\\', '').split('=')
    values.set(key.trim(), value.join('=').trim())
  }
  const sequence = values.get('sequenceNumber') ?? ''
  const timestamp = values.get('timestamp') ?? ''
  const isWhole = /^\d{1,9}$/.test(sequence) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(timestamp)
  return isWhole && !Number.isNaN(Date.parse(timestamp)) ? { sequence: Number(sequence), timestamp } : null
}

/** Where the files of a sequence number are, without their suffix: `000/001/234`. */
export const sequencePath = (sequence: number): string =>
  String(sequence)
    .padStart(9, '0')
    .replace(/(\d{3})(\d{3})(\d{3})/, '$1/$2/$3')
