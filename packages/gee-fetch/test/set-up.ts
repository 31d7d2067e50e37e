import {
  boxOf,
  type Dropped,
  type Failed,
  type FocusObject,
  type Geometry,
  type ImageRecord,
  type Outcome,
  type PlannedImage,
  type Storage,
} from '@skyscript/core'
import {
  createImagery,
  type EarlierImages,
  type EarthEngine,
  type FetchContext,
  type FetchOutcome,
  type ImagerySettings,
  type PlanTileInput,
  planTile,
  SOURCES,
  type Source,
} from '../src/index.ts'

type EarthEngineAlias = {
  [A in keyof typeof SOURCES]: (typeof SOURCES)[A]['kind'] extends 'earth-engine' ? A : never
}[keyof typeof SOURCES]

/** The shipped sources that are in Earth Engine. */
export const EARTH_ENGINE_ALIASES = Object.values(SOURCES)
  .filter(({ kind }) => kind === 'earth-engine')
  .map(({ alias }) => alias as EarthEngineAlias)

/** The default settings. */
export const TILES = { minPixels: 100, maxPixels: 1000, pointPixels: 300, shift: 0.2 }
export const CHECKS = { minValid: 0.98, maxCloud: 0.35, maxSeam: 0.002, minDeviation: 1.5 }

export const settingsOf = (sources: readonly Source[], changes: Partial<ImagerySettings> = {}): ImagerySettings => ({
  sources,
  prefer: 'finest',
  year: 'latest',
  tiles: TILES,
  seed: 51,
  ...changes,
})

export const focusOf = (id: string, geometry: Geometry, maxGsd: number, edited: number | null = null): FocusObject => ({
  id,
  isArea: geometry.type.endsWith('Polygon'),
  box: boxOf(geometry),
  geometry: () => geometry,
  maxGsd,
  edited,
})

/** Plans objects, and sorts what was planned by outcome and id. */
export async function planAll(input: PlanTileInput): Promise<Outcome<PlannedImage>> {
  const [kept, dropped, failed]: [PlannedImage[], Dropped[], Failed[]] = [[], [], []]
  for await (const [{ id }, planned] of planTile(input)) {
    if (planned.id !== id) throw new Error(`${planned.id} was planned for ${id}.`)
    if ('candidates' in planned) kept.push(planned)
    else if ('reason' in planned) dropped.push(planned)
    else failed.push(planned)
  }
  const byId = (a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1)
  return { kept: kept.sort(byId), dropped: dropped.sort(byId), failed: failed.sort(byId) }
}

/** Imagery from one Earth Engine client, without files. */
export const imageryOf = (ee: EarthEngine) =>
  createImagery(
    {
      earthEngine: async () => ee,
      oam: () => Promise.reject(new Error('No scenes here.')),
      tiles: () => {
        throw new TypeError('These tests have no tiles.')
      },
      cog: () => {
        throw new Error('These tests have no files.')
      },
    },
    { maxCloud: 20, earthEngineOrigin: () => 'test' },
  )

export const contextOf = (ee: EarthEngine, storage: Storage, changes: Partial<FetchContext> = {}): FetchContext => ({
  imagery: imageryOf(ee),
  sources: Object.values(SOURCES),
  checks: CHECKS,
  storage,
  seed: 51,
  earlier: { records: new Map(), findings: new Map() },
  tile: 'x1874_y1367',
  grouping: false,
  signal: new AbortController().signal,
  ...changes,
})

/** What a run leaves for the next one. */
export const earlierOf = (outcome: FetchOutcome): EarlierImages => ({
  records: new Map(outcome.kept.map((record: ImageRecord) => [record.id, record])),
  findings: new Map(outcome.findings.map((finding) => [finding.request, finding])),
})
