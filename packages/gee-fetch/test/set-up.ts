import type { ImageRecord, Storage } from '@skyscript/core'
import {
  createImagery,
  type EarlierImages,
  type EarthEngine,
  type FetchContext,
  type FetchOutcome,
  type ImagerySettings,
  SOURCES,
  type Source,
} from '../src/index.ts'

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

/** Imagery from one Earth Engine client, without files. */
export const imageryOf = (ee: EarthEngine) =>
  createImagery(
    {
      earthEngine: async () => ee,
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
  tile: null,
  signal: new AbortController().signal,
  ...changes,
})

/** What a run leaves for the next one. */
export const earlierOf = (outcome: FetchOutcome): EarlierImages => ({
  records: new Map(outcome.kept.map((record: ImageRecord) => [record.id, record])),
  findings: new Map(outcome.findings.map((finding) => [finding.request, finding])),
})
