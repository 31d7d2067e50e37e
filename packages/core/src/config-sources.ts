import { z } from 'zod'
import { CATALOGUE, catalogued } from './catalogue/index.ts'
import { InputError } from './errors.ts'
import { checkWith, schemaMessage } from './schema-faults.ts'
import { arcgisSource } from './source-kinds/arcgis.ts'
import { cogSource } from './source-kinds/cog.ts'
import { isShipped, SHIPPED, type ShippedAlias, secretName } from './source-kinds/common.ts'
import { earthEngineSource } from './source-kinds/earth-engine.ts'
import { aliasOfLayer, indexLayer, type LayerSettings } from './source-kinds/layer.ts'
import { oamSource } from './source-kinds/oam.ts'
import { wmsSource } from './source-kinds/wms.ts'
import { wmtsSource } from './source-kinds/wmts.ts'
import { xyzSource } from './source-kinds/xyz.ts'

const KINDS = {
  'earth-engine': earthEngineSource,
  cog: cogSource,
  xyz: xyzSource,
  wms: wmsSource,
  wmts: wmtsSource,
  arcgis: arcgisSource,
  oam: oamSource,
} as const

const isKind = (kind: unknown): kind is keyof typeof KINDS => typeof kind === 'string' && Object.hasOwn(KINDS, kind)

/** All catalogue sources that cover a region. */
export const AUTO = 'auto'

/** Every form of a source: an alias, a description, or a layer of a catalogue. */
export const sourceForms = [
  z.enum([...SHIPPED, ...CATALOGUE.map(({ alias }) => alias), AUTO]),
  ...Object.values(KINDS),
  indexLayer,
] as const

/** A source that the settings describe. */
export type SourceSettings = z.infer<(typeof KINDS)[keyof typeof KINDS]>

/** A source that can be used without looking anything up. */
export type SettledSource = ShippedAlias | SourceSettings

/** An entry of `imagery.sources`. */
export type SourceChoice = SettledSource | typeof AUTO | LayerSettings

/** `index:<id>`, as layers of catalogues are called. */
const LAYER = /^index:\s*(.+)$/

/**
 * A shipped source by its alias, a source of the user's (`kind` is earth-engine by default), a layer of the user's
 * catalogue, or `auto`. An official service's alias becomes its description.
 */
export const sourceSetting = z.unknown().transform((value, context): SourceChoice => {
  const fault = (message: string, path: PropertyKey[] = []) => {
    context.addIssue({ code: 'custom', message, path })
    return z.NEVER
  }
  const parsed = <T>(schema: z.ZodType<T>, input: unknown): T | null => {
    const result = schema.safeParse(input, { error: schemaMessage })
    if (result.success) return result.data
    for (const issue of result.error.issues) context.addIssue(issue as Parameters<typeof context.addIssue>[0])
    return null
  }
  const described = (kind: keyof typeof KINDS, input: object): SourceSettings => {
    const source: SourceSettings | null = parsed<SourceSettings>(KINDS[kind], { ...input, kind })
    return source === null ? z.NEVER : withKey(source)
  }
  if (typeof value === 'string') {
    if (isShipped(value) || value === AUTO) return value
    const entry = catalogued(value)
    if (entry) {
      const { terms: _terms, confirmed: _confirmed, ...settings } = entry
      return described(settings.kind, settings)
    }
    const layer = LAYER.exec(value)?.[1]
    return fault(layer === undefined ? unknownSource(value) : withoutLicence(layer))
  }
  if (typeof value !== 'object' || value === null) return fault('must be the name of a source, or describe one')
  if ('index' in value) {
    const index = typeof value.index === 'string' ? value.index.replace(LAYER, '$1') : value.index
    if (!('licence' in value)) return fault(withoutLicence(String(index)))
    const { kind = 'index', ...stated } = value as { kind?: unknown }
    if (kind !== 'index') return fault('must be left out, or be index, beside index', ['kind'])
    const layer = parsed(indexLayer, { ...stated, index })
    return layer === null ? z.NEVER : { ...layer, kind: 'index', alias: layer.alias ?? aliasOfLayer(layer.index) }
  }
  const { kind = 'earth-engine' } = value as { kind?: unknown }
  return isKind(kind) ? described(kind, value) : fault(`must be one of ${Object.keys(KINDS).join(', ')}`, ['kind'])
})

/** Takes `{key}` in the address of a service for the environment's value of the source's name. */
const withKey = (source: SourceSettings): SourceSettings =>
  'url' in source
    ? { ...source, url: source.url.replace(/(?<!\$)\{key\}/g, `\${${secretName(source.alias)}}`) }
    : source

/** `auto` may stand for a list of itself. */
export const sourcesSetting = z.preprocess(
  (value) => (value === AUTO ? [AUTO] : value),
  z
    .array(sourceSetting)
    .min(1)
    .refine((list) => new Set(list.map(aliasOf)).size === list.length, 'names a source twice'),
)

const unknownSource = (name: string) =>
  `Unknown source "${name.slice(0, 40)}"; use one of ${SHIPPED.join(', ')}, an alias that \`skyscript sources\` lists, auto, or describe a source of your own`

const withoutLicence = (layer: string) =>
  `says no licence; write { index: ${layer.slice(0, 100)}, licence: ... }: catalogues of editors' backgrounds tell what may be traced, and permission to trace is not permission to copy`

/** What a source is called. */
export const aliasOf = (source: SourceChoice): string => (typeof source === 'string' ? source : source.alias)

/** Aliases of everything that can be named without a description. */
export const SHIPPED_ALIASES: readonly string[] = [...SHIPPED, ...CATALOGUE.map(({ alias }) => alias)]

/**
 * A source by a description that comes from elsewhere than the settings.
 *
 * @throws InputError `bad-source`
 */
export function describedSource(description: object, name: string): SourceSettings {
  const checked = checkWith(sourceSetting, description, name)
  if ('value' in checked) return checked.value as SourceSettings
  throw new InputError('bad-source', `${name} can't be used: ${checked.faults.join('; ')}.`)
}

/** What the settings have for one of them. */
export const shippedSource = (alias: string): SettledSource => sourceSetting.parse(alias) as SettledSource
