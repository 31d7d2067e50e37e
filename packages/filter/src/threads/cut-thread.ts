import { serveThread } from '@skyscript/core'
import { type ManifestFile, openManifestFile } from '@skyscript/dataset'
import { type FileRows, formatGroup, type SurveySettings, surveyGroup } from '../cut-group.ts'
import type { Splitter } from '../splits/criterion.ts'
import { createSplitter } from '../splits/index.ts'

export interface CutQuestion {
  readonly path: string
  readonly settings: SurveySettings
}

let manifest: ManifestFile
let settings: SurveySettings
let partOf: Splitter
let files: readonly FileRows[]

/** The thread that reads row groups and turns them into CSV rows. */
serveThread({
  async open(question: CutQuestion) {
    settings = question.settings
    partOf = createSplitter(settings.layout, settings.seed)
    manifest = await openManifestFile(question.path)
    return { value: null }
  },
  async survey(group: number) {
    const value = await surveyGroup(manifest, group, settings, partOf)
    const { ids, similarities, parts, titles } = value
    const arrays = [ids, parts, ...similarities, ...(titles ? [titles] : [])]
    return { value, transfer: arrays.map(({ buffer }) => buffer) }
  },
  async files(list: readonly FileRows[]) {
    files = list
    return { value: null }
  },
  async format(group: number) {
    const value = await formatGroup(manifest, group, files)
    return { value, transfer: value.map(({ text }) => text.buffer) }
  },
})
