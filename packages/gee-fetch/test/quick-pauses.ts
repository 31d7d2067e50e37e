/**
 * Shortens pauses between attempts to a twentieth; what is retried, and how often, stays the same.
 *
 * @example vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))
 */
import { vi } from 'vitest'

const real = await vi.importActual<typeof import('../src/pause.ts')>('../src/pause.ts')

export const backOff = (tries: number): number => real.backOff(tries) / 20
export const pause = real.pause
