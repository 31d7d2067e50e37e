import type { Stage } from '../stage.ts'

/** Every stage that runs as jobs, each after the one that it takes up. They are loaded where they are used. */
const FILES = {
  plan: async () => (await import('./plan.ts')).plan,
  fetch: async () => (await import('./fetch.ts')).fetch,
  caption: async () => (await import('./caption.ts')).caption,
  score: async () => (await import('./score.ts')).score,
} satisfies Record<string, () => Promise<Stage>>

export const STAGE_NAMES: readonly string[] = Object.keys(FILES)

export const loadStages = (): Promise<readonly Stage[]> => Promise.all(Object.values(FILES).map((load) => load()))

/** Jobs of each stage at a time in one process: beside the coordinator, or in a worker. */
export async function stageConcurrency(place: keyof Stage['concurrency']): Promise<Record<string, number>> {
  return Object.fromEntries((await loadStages()).map(({ name, concurrency }) => [name, concurrency[place]]))
}
