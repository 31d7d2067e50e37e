import type { Args, Run } from './algorithm.ts'
import { badRequest } from './api-error.ts'

/** EECU-seconds of a request, and of a million pixels: numbers of a likely size, so that budgets can be tried out. */
const REQUEST_SECONDS = 0.05
const MEGAPIXEL_SECONDS = 0.4

/** Header of a request that asks for its profile, and of the answer that names it. */
export const PROFILE_REQUEST = 'x-earth-engine-computation-profiling'
export const PROFILE_ANSWER = 'X-Earth-Engine-Computation-Profile'

/**
 * The profile of a request. Threads that answer share no memory, so the id itself encodes the cost.
 *
 * @param number of the request, which makes ids differ
 */
export function profileId(number: number, pixels: number): string {
  const seconds = REQUEST_SECONDS + (MEGAPIXEL_SECONDS * pixels) / 1e6
  return `local-${number.toString(36)}-${Math.round(seconds * 1e6).toString(36)}`
}

function secondsOf(id: string): number {
  const match = /^local-[0-9a-z]+-([0-9a-z]{1,10})$/.exec(id)
  if (!match) throw badRequest(`Profile.getProfiles: Profile '${id.slice(0, 40)}' not found.`)
  return Number.parseInt(match[1]!, 36) / 1e6
}

/** What the computations of some profiles cost, as the table that the API gives. */
function getProfiles(args: Args): string {
  if (args.text('format') !== 'text') throw badRequest("Profile.getProfiles: Only the format 'text' is known here.")
  const seconds = args.texts('ids').reduce((sum, id) => sum + secondsOf(id), 0)
  const row = (cost: string, memory: string, count: number, what: string) =>
    `${cost.padStart(7)} ${memory.padStart(7)} ${String(count).padStart(6)}  ${what}`
  const rows = [
    row((seconds * 0.75).toFixed(6), '212k', 6, 'Algorithm Image.visualize'),
    row((seconds * 0.25).toFixed(6), '47k', 44, '(plumbing)'),
    row('-', '59k', 12, 'Loading assets'),
  ]
  const isMerged = args.given('maxEntries') && args.number('maxEntries') < rows.length
  const shown = isMerged ? [row(seconds.toFixed(6), '212k', 62, '(...)')] : rows
  return [' EECU·s PeakMem  Count  Description', ...shown, ''].join('\n')
}

/** The function that returns what requests cost. */
export const PROFILES: Readonly<Record<string, Run>> = { 'Profile.getProfiles': getProfiles }
