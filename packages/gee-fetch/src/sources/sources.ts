import type { SHIPPED_SOURCES, SourceChoice, SourceSettings } from '@skyscript/core'
import { coveredBy } from '../coverage.ts'
import { oamSource } from '../oam/oam-source.ts'
import { arcgisSource } from '../web/arcgis.ts'
import type { RequestLimits } from '../web/tile-source.ts'
import { wmsSource } from '../web/wms.ts'
import { wmtsSource } from '../web/wmts.ts'
import { xyzSource } from '../web/xyz.ts'
import { ch } from './ch.ts'
import { de } from './de.ts'
import { e2 } from './e2.ts'
import { ee } from './ee.ts'
import { el } from './el.ts'
import { es } from './es.ts'
import { fi } from './fi.ts'
import { l8 } from './l8.ts'
import { l9 } from './l9.ts'
import { lv } from './lv.ts'
import { ne } from './ne.ts'
import { nl } from './nl.ts'
import { p3 } from './p3.ts'
import { p5 } from './p5.ts'
import { s2 } from './s2.ts'
import { si } from './si.ts'
import { sk } from './sk.ts'
import { hostOfSource, type Source } from './source.ts'
import { us } from './us.ts'

/** The built-in sources by alias; the types fail where one is missing here or in core's list. */
export const SOURCES = {
  CH: ch,
  ES: es,
  DE: de,
  FI: fi,
  US: us,
  P3: p3,
  P5: p5,
  S2: s2,
  L8: l8,
  L9: l9,
  NL: nl,
  NE: ne,
  LV: lv,
  SK: sk,
  EE: ee,
  EL: el,
  E2: e2,
  SI: si,
} as const satisfies Readonly<Record<keyof typeof SHIPPED_SOURCES, Source>>

/** The sources that the settings name or describe, in their order. */
export function sourcesOf(settings: readonly SourceChoice[]): Source[] {
  const sources = settings.map((each): Source => {
    // What they stand for is known once the extract or the catalogue has been read.
    if (each === 'auto' || (typeof each !== 'string' && each.kind === 'index'))
      throw new TypeError('imagery.sources: auto and layers of a catalogue are no sources.')
    return typeof each === 'string' ? SOURCES[each] : described(each)
  })
  return sources.map((source) => withLimitsOf(sources, source))
}

/** A host is asked no more often than any of its sources allows. */
function withLimitsOf(sources: readonly Source[], source: Source): Source {
  if (!('requests' in source)) return source
  const hostOf = (each: typeof source) => hostOfSource(each) ?? each.url
  const own = sources.filter((each) => 'requests' in each).filter((each) => hostOf(each) === hostOf(source))
  const least = (limit: keyof RequestLimits) => Math.min(...own.map(({ requests }) => requests[limit]))
  return { ...source, requests: { concurrent: least('concurrent'), perSecond: least('perSecond') } }
}

/** The licence of a source's pictures. */
export const licenceOf = (source: SourceChoice): string => sourcesOf([source])[0]!.licence

function described(described: SourceSettings): Source {
  switch (described.kind) {
    case 'xyz':
      return xyzSource(described)
    case 'wms':
      return wmsSource(described)
    case 'wmts':
      return wmtsSource(described)
    case 'arcgis':
      return arcgisSource(described)
    case 'oam':
      return oamSource(described)
  }
  const { title, credit, extent, ...settings } = described
  const { alias } = settings
  const named = title ?? alias
  const own = { title: named, timePrecision: 'day', credit: () => credit ?? named } as const
  const facts = { ...own, ...coveredBy(extent) }
  if (settings.kind === 'cog') return { ...settings, ...facts, collection: settings.collection ?? alias }
  const { id, ...rest } = settings
  // The type of a user's asset is looked up.
  return { ...rest, ...facts, collection: id, oldIds: [], mayBeImage: true }
}
