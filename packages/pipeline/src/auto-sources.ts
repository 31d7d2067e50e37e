/** What `imagery.sources: auto` stands for in a region. */
import {
  boxCenter,
  type Config,
  InputError,
  isAllowedLicence,
  mapTileBox,
  messageOf,
  OPEN_LICENCES,
  ServiceError,
  type SettledSource,
  type SourceChoice,
  type Storage,
} from '@skyscript/core'
import { aliasOf, SHIPPED_ALIASES, shippedSource } from '@skyscript/core/config'
import { LOCK } from '@skyscript/dataset'
import {
  gsdOf,
  hasAmbientCredentials,
  mayCover,
  type Source,
  sourcesOf,
  takesAmbientCredentials,
} from '@skyscript/gee-fetch'
import pMap from 'p-map'
import { missingSecrets } from './private-addresses.ts'
import { getWhole } from './results.ts'

/** Services that are read at a time. */
const SERVICES = 8

/** The sources that `auto` stands for, the finest first, and by alias why others that cover the region are not among them. */
export interface AutoSources {
  readonly taken: readonly SettledSource[]
  readonly left: Readonly<Record<string, string>>
}

/**
 * All shipped sources that may have images in some map tiles, are under a licence that is allowed, and need no key or
 * account that is missing. It depends on nothing else, so that it is the same on every machine.
 *
 * @param tiles names of map tiles
 */
export function autoSources({ licences, earthEngine }: Config['imagery'], tiles: readonly string[]): AutoSources {
  const boxes = tiles.map(mapTileBox)
  const allowed = licences ?? OPEN_LICENCES
  const taken: { readonly setting: SettledSource; readonly gsd: number }[] = []
  const left: Record<string, string> = {}
  for (const alias of SHIPPED_ALIASES) {
    const setting = shippedSource(alias)
    const [source] = sourcesOf([setting]) as [Source]
    const at = boxes.find((box) => mayCover(source, box))
    if (at === undefined) continue
    const lacks = isAllowedLicence(source.licence, allowed) ? lackOf(source, earthEngine) : notAllowed(source, licences)
    if (lacks === null) taken.push({ setting, gsd: gsdOf(source, boxCenter(at)[1]) })
    else left[alias] = lacks
  }
  return { taken: taken.sort((a, b) => a.gsd - b.gsd).map(({ setting }) => setting), left }
}

const notAllowed = ({ licence }: Source, licences: Config['imagery']['licences']) =>
  `its licence, "${licence}", is not ${licences === null ? 'one of the open ones' : 'in imagery.licences'}`

/** What a source needs and this process lacks; null for nothing. */
export function lackOf(source: Source, earthEngine: Config['imagery']['earthEngine']): string | null {
  if (source.kind === 'earth-engine') {
    const { endpoint, credentials } = earthEngine
    const needsAccount = takesAmbientCredentials(endpoint) && credentials === null && !hasAmbientCredentials()
    return needsAccount ? 'it needs an Earth Engine account' : null
  }
  const [missing] = 'url' in source ? missingSecrets(source.url) : []
  return missing === undefined ? null : `it needs a key, and ${missing} is not set`
}

export interface AutoOptions {
  /** Told in one sentence what was taken and what was not. */
  say(text: string): void
  /** Reads what is needed of a source's service. @throws InputError or ServiceError */
  complete(source: SettledSource): Promise<SettledSource>
}

/**
 * What is added to the sources that the settings name, where `auto` is among them. A source whose service can't be used,
 * since it no longer has the layer for one, is left out; one that is away for now is not, since it would come and go.
 *
 * @throws InputError `no-auto-source` if no source can be used; ServiceError if a service is away
 */
export async function chooseAuto(
  imagery: Config['imagery'],
  tiles: readonly string[],
  { say, complete }: AutoOptions,
): Promise<readonly SettledSource[]> {
  if (!imagery.sources.includes('auto')) return []
  const named = new Set([...imagery.sources.map(aliasOf), ...imagery.without])
  const { taken, left } = autoSources(imagery, tiles)
  const others: Record<string, string> = { ...left }
  const completed = async (source: SettledSource): Promise<SettledSource[]> => {
    try {
      return [await complete(source)]
    } catch (error) {
      const alias = aliasOf(source)
      if (!(error instanceof InputError || error instanceof ServiceError)) throw error
      if (error instanceof ServiceError && error.retry) throw away(alias, error)
      others[alias] = `it can't be used: ${withoutStop(messageOf(error))}`
      return []
    }
  }
  const wanted = taken.filter((source) => !named.has(aliasOf(source)))
  const added = (await pMap(wanted, completed, { concurrency: SERVICES })).flat()
  const reasons = Map.groupBy(
    Object.entries(others).filter(([alias]) => !named.has(alias)),
    ([, why]) => why,
  )
  const without = [...reasons].map(([why, list]) => `${list.map(([alias]) => alias).join(', ')} (${why})`)
  const leaves = without.length === 0 ? '' : `; it leaves out ${without.join(', ')}`
  if (added.length === 0 && imagery.sources.length === 1)
    throw new InputError('no-auto-source', `imagery.sources: auto finds no source for the region${leaves}.`)
  say(`imagery.sources: auto takes ${added.map(aliasOf).join(', ') || 'nothing'}${leaves}.`)
  return added
}

const withoutStop = (message: string) => message.replace(/\.$/, '')

const away = (alias: string, error: ServiceError) =>
  new ServiceError(
    error.code,
    `imagery.sources: auto takes ${alias}, which can't be read now (${withoutStop(messageOf(error))}); run the build again, or leave it out with imagery.without: [${alias}].`,
    { retry: true, cause: error },
  )

/** The settings with `auto` replaced by what it stands for. */
export const withAuto = <T extends { readonly imagery: Config['imagery'] }>(
  config: T,
  added: readonly SettledSource[],
): T => ({
  ...config,
  imagery: {
    ...config.imagery,
    sources: config.imagery.sources.flatMap((source): readonly SourceChoice[] =>
      source === 'auto' ? added : [source],
    ),
  },
})

/** One sentence where a dataset was made of other sources, so that a later version's catalogue changes none unseen. */
export async function noteOtherSources(
  storage: Storage,
  sources: Config['imagery']['sources'],
  say: (text: string) => void,
): Promise<void> {
  const lock = await getWhole<{ config?: { imagery?: { sources?: Config['imagery']['sources'] } } }>(storage, LOCK)
  const before = lock?.config?.imagery?.sources
  if (!Array.isArray(before)) return
  const [old, now] = [before.map(aliasOf), sources.map(aliasOf)]
  const added = now.filter((alias) => !old.includes(alias))
  const gone = old.filter((alias) => !now.includes(alias))
  if (added.length + gone.length === 0) return
  const changes = [...added.map((alias) => `+${alias}`), ...gone.map((alias) => `-${alias}`)].join(' ')
  say(
    `The dataset was made of other sources (${changes}); to keep those, name them in imagery.sources instead of auto.`,
  )
}
