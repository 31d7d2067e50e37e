import type { Storage } from '@skyscript/core'
import type { ReportData, ReportPair, ReportSummary } from './collector.ts'
import { renderReport } from './render.ts'
import { thumbnail } from './thumbnail.ts'

/** Renders the report from gathered data; reads the images of the contact sheet. */
export async function reportPage(data: ReportData, summary: ReportSummary, storage: Storage): Promise<string> {
  const { sample, ...gathered } = data
  const pairs: ReportPair[] = []
  for (const row of sample) pairs.push({ row, thumbnail: await thumbnail(storage, row.image.filepath) })
  return renderReport({ ...summary, ...gathered, pairs })
}

/** The gathered data for some of the scorers, in the given order. */
export function ofScorers(data: ReportData, scorers: readonly string[]): ReportData {
  const places = scorers.map((scorer) => data.scorers.indexOf(scorer))
  return {
    ...data,
    scorers,
    scores: places.map((place) => data.scores[place]!),
    sample: data.sample.map((row) => ({ ...row, similarities: places.map((place) => row.similarities[place]!) })),
  }
}
