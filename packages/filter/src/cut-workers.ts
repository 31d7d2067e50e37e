import { availableParallelism } from 'node:os'
import { startThread } from '@skyscript/core'
import type { ManifestFile } from '@skyscript/dataset'
import { pMapIterable } from 'p-map'
import { type FileRows, formatGroup, type GroupText, type SurveySettings, surveyGroup } from './cut-group.ts'
import type { GroupSurvey } from './pair-table.ts'
import { createSplitter } from './splits/index.ts'
import type { CutQuestion } from './threads/cut-thread.ts'

/** A manifest with fewer row groups is read faster than a thread starts. */
const GROUPS_WORTH_THREADS = 8
/** Further threads would only wait for the writer. */
const MOST_THREADS = 4
/** Row groups read ahead per thread. */
const AHEAD = 2

/** Reads a manifest's row groups, on as many threads as there are cores. */
export interface CutWorkers {
  survey(): AsyncIterable<GroupSurvey>
  format(files: readonly FileRows[]): AsyncIterable<readonly GroupText[]>
  close(): Promise<void>
}

/** Returns row groups in order, for any number of threads. */
export async function openCutWorkers(manifest: ManifestFile, settings: SurveySettings): Promise<CutWorkers> {
  const groups = manifest.groups.keys().toArray()
  if (groups.length < GROUPS_WORTH_THREADS) {
    const partOf = createSplitter(settings.layout, settings.seed)
    return {
      survey: () => pMapIterable(groups, (group) => surveyGroup(manifest, group, settings, partOf), { concurrency: 1 }),
      format: (files) => pMapIterable(groups, (group) => formatGroup(manifest, group, files), { concurrency: 1 }),
      close: async () => {},
    }
  }
  const count = Math.min(availableParallelism(), MOST_THREADS)
  const threads = Array.from({ length: count }, () => startThread(new URL('./threads/cut-thread.ts', import.meta.url)))
  const close = async () => {
    await Promise.all(threads.map((thread) => thread.close()))
  }
  const askAll = (method: string, value: unknown) => Promise.all(threads.map((thread) => thread.ask(method, value)))
  const askOne = <T>(method: string) =>
    pMapIterable(groups, (group) => threads[group % count]!.ask<T>(method, group), { concurrency: AHEAD * count })
  await askAll('open', { path: manifest.path, settings } satisfies CutQuestion).catch(async (error: unknown) => {
    await close()
    throw error
  })
  return {
    survey: () => askOne<GroupSurvey>('survey'),
    async *format(files) {
      await askAll('files', files)
      yield* askOne<readonly GroupText[]>('format')
    },
    close,
  }
}
