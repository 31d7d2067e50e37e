import { formatCount, formatCounted, InputError, printable, tableLines } from '@skyscript/core'
import type { Layer } from '@skyscript/gee-fetch'
import type { SourceHere } from '@skyscript/pipeline'
import { defineCommand, flag, jsonOption, option, optionalArgument, position } from '../command.ts'
import { EXIT } from '../exit-codes.ts'
import type { ListedSources } from '../runs/list-sources.ts'

export const sources = defineCommand({
  name: 'sources',
  description: 'list the imagery sources that cover a region, and how many of its visible objects each would serve',
  arguments: { place: optionalArgument('[region.yaml | extract.osm.pbf]', 'a region file, or an OSM PBF file') },
  options: {
    at: option('--at <longitude,latitude>', 'instead: the sources at one position, in degrees', position),
    check: flag('--check', 'ask each source for one small image, and show what came'),
    json: jsonOption,
  },
  async run({ place, at, check, json }) {
    if ((place === undefined) === (at === undefined))
      throw new InputError('usage', 'Give a region file, an OSM PBF file, or --at longitude,latitude.')
    const { listSources } = await import('../runs/list-sources.ts')
    const found = await listSources(at ?? place!, check === true)
    process.stdout.write(json ? `${JSON.stringify(jsonOf(found))}\n` : tableOf(found))
    return found.checks !== null && [...found.checks.values()].some(({ ok }) => !ok) ? EXIT.partial : EXIT.whole
  },
})

function jsonOf({ place, objects, sources, layers, checks }: ListedSources) {
  return {
    place,
    objects,
    sources: sources.map(({ source, gsd, needs, lacks, terms, confirmed, objects: served }) => ({
      ...{ alias: source.alias, title: source.title, kind: source.kind, gsd, years: source.years ?? null },
      ...{ licence: source.licence, credit: source.credit(null), terms, confirmed },
      ...{ needs, isReady: lacks === null, objects: served },
      ...(checks && { check: checks.get(source.alias) }),
    })),
    layers: layers.map(({ outline: _outline, ...layer }) => layer),
  }
}

/** Long licences are cut; --json has them whole. */
const LICENCE = 36

function tableOf({ place, objects, sources, layers, checks }: ListedSources): string {
  const where = typeof place === 'string' ? place : place.join(',')
  const seen = objects === null ? '' : ` (${formatCounted(objects, 'visible object')})`
  const title = `${formatCounted(sources.length, 'source')} at ${where}${seen}`
  const rows = sources.map(({ source, gsd, needs, lacks, objects: served }) => [
    source.alias,
    `${Number(gsd.toPrecision(2))} m`,
    yearsOf(source),
    ...(served === null ? [] : [formatCount(served)]),
    needs === null ? 'nothing' : `${needs}: ${lacks === null ? 'found' : 'missing'}`,
    source.licence.length > LICENCE ? `${source.licence.slice(0, LICENCE - 3)}...` : source.licence,
    source.title,
  ])
  const head = ['alias', 'GSD', 'years', ...(objects === null ? [] : ['objects']), 'needs', 'licence', 'imagery']
  const [first, ...others] = tableLines([head, ...rows], (column) => head[column] === 'objects')
  const answers = (alias: string) => {
    const answer = checks?.get(alias)
    return answer ? [`  ${answer.ok ? 'ok' : 'no'}: ${answer.said}`] : []
  }
  const lines = [title, first!, ...rows.flatMap((row, i) => [others[i]!, ...answers(row[0]!)]), ...layerLines(layers)]
  return `${lines.join('\n')}\n`
}

/** Layers of a catalogue are no sources before a licence is stated. */
function layerLines(layers: readonly Layer[]): string[] {
  if (layers.length === 0) return []
  const width = Math.max(...layers.map(({ id }) => id.length))
  return [
    `${formatCounted(layers.length, 'layer')} of imagery.catalogue; name one as { index: id, licence: ... } once you know its licence`,
    ...layers.map(({ id, type, name, licenceUrl }) =>
      printable(`${id.padEnd(width)}  ${type}  ${name}${licenceUrl === null ? '' : `  ${licenceUrl}`}`),
    ),
  ]
}

const yearsOf = ({ years }: SourceHere['source']): string =>
  years === undefined ? '-' : years[0] === years[1] ? String(years[0]) : `${years[0]}-${years[1] ?? ''}`
