import { stat } from 'node:fs/promises'
import { type Config, InputError, systemReason } from '@skyscript/core'
import { readBenchmarks } from './benchmarks.ts'
import { readClip } from './clip.ts'
import { readStyles } from './styles.ts'
import { readTagTable, readTextFile } from './text-file.ts'

/**
 * What checks the smaller files that settings name, by setting: each reads its file as a build does, and throws the
 * InputError of the build. None for a setting that names no file.
 */
export function fileChecks({ osm, captions, filter, benchmarks }: Config): ReadonlyMap<string, () => Promise<unknown>> {
  const checks = new Map<string, () => Promise<unknown>>()
  const { clip } = osm
  const { tags, rules, classifier, templates } = captions
  const { exclude } = filter
  if (typeof clip === 'string') checks.set('osm.clip', () => readClip(clip))
  if (tags !== null) checks.set('captions.tags', () => readTagTable(tags, 'captions.tags'))
  if (rules !== null) checks.set('captions.rules', () => readTextFile(rules, 'captions.rules'))
  if (classifier !== null)
    checks.set('captions.classifier', () => readTextFile(classifier.weights, 'captions.classifier.weights'))
  if (templates.some((name) => /^[./]/.test(name)))
    checks.set('captions.templates', () => readStyles(templates, 'captions.templates'))
  if (exclude !== null) checks.set('filter.exclude', () => checkFolder(exclude, 'filter.exclude'))
  if (benchmarks !== undefined && benchmarks.own.length > 0)
    checks.set('benchmarks.own', () => readBenchmarks(benchmarks))
  return checks
}

async function checkFolder(path: string, setting: string): Promise<void> {
  const why = await stat(path).then((found) => (found.isDirectory() ? null : 'it is no folder'), systemReason)
  if (why !== null) throw new InputError('missing-file', `${setting}: ${path} can't be read (${why}).`)
}
