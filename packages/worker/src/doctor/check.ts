import { type Config, messageOf, printableLine } from '@skyscript/core'

/**
 * One check of `skyscript doctor`, in a file of its own in `checks/`. It calls the function that a build calls, so that
 * doctor and build can't disagree: what that throws is what doctor shows.
 */
export interface Check {
  readonly name: string
  /** Builds make it too, before anything else. For checks that are quick, and send no requests except to Redis. */
  readonly preflight?: true
  /** The check may take this long; default: 20 s. */
  readonly seconds?: number
  /** One finding for each thing looked at; none where the check doesn't apply. */
  run(context: CheckContext): Promise<readonly Finding[]>
}

export interface CheckContext {
  /** null: only the machine is looked at. */
  readonly config: Config | null
  readonly signal: AbortSignal
}

export interface Finding {
  /** Stable: `redis`, `osm`, `model:openai`. */
  readonly name: string
  readonly status: 'ok' | 'warn' | 'fail'
  /** What was found, as one sentence or less. */
  readonly detail: string
  /** What to do about it. */
  readonly fix?: string
  /** What a build throws for this finding. */
  readonly error?: unknown
}

/** Something that a build can live with. */
export interface Warning {
  readonly warning: string
  readonly fix: string
}

/**
 * Looks at one thing.
 *
 * @param look what is there, or a warning; throws what a build would throw
 */
export async function finding(name: string, look: () => Promise<string | Warning>): Promise<Finding> {
  try {
    const found = await look()
    return typeof found === 'string'
      ? { name, status: 'ok', detail: clean(found) }
      : { name, status: 'warn', detail: clean(found.warning), fix: clean(found.fix) }
  } catch (error) {
    return { ...failing(name, messageOf(error)), error }
  }
}

/** Our sentences say what is wrong, and after the last semicolon what to do. */
export function failing(name: string, message: string): Finding {
  const text = clean(message)
  const cut = text.lastIndexOf('; ')
  if (cut === -1) return { name, status: 'fail', detail: text }
  const fix = `${text.charAt(cut + 2).toUpperCase()}${text.slice(cut + 3)}`
  return { name, status: 'fail', detail: text.slice(0, cut), fix }
}

const clean = (text: string) => printableLine(messageOf(text))
