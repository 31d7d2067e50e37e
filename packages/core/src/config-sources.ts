import { z } from 'zod'
import { schemaMessage } from './schema-faults.ts'
import { cogSource } from './source-kinds/cog.ts'
import { isShipped, SHIPPED, type ShippedAlias } from './source-kinds/common.ts'
import { earthEngineSource } from './source-kinds/earth-engine.ts'
import { xyzSource } from './source-kinds/xyz.ts'

const KINDS = { 'earth-engine': earthEngineSource, cog: cogSource, xyz: xyzSource } as const

const isKind = (kind: unknown): kind is keyof typeof KINDS => typeof kind === 'string' && Object.hasOwn(KINDS, kind)

/** Every form of a source: an alias, or a description. */
export const sourceForms = [z.enum(SHIPPED), ...Object.values(KINDS)] as const

/** A source that the settings describe. */
export type SourceSettings = z.infer<(typeof KINDS)[keyof typeof KINDS]>

/** A shipped source by its alias, or a source of the user's; `kind` is earth-engine by default. */
export const sourceSetting = z.unknown().transform((value, context): ShippedAlias | SourceSettings => {
  const fault = (message: string, path: PropertyKey[] = []) => {
    context.addIssue({ code: 'custom', message, path })
    return z.NEVER
  }
  if (typeof value === 'string') {
    return isShipped(value)
      ? value
      : fault(
          `Unknown source "${value.slice(0, 40)}"; use one of ${SHIPPED.join(', ')}, or describe a source of your own`,
        )
  }
  if (typeof value !== 'object' || value === null) return fault('must be the name of a source, or describe one')
  const { kind = 'earth-engine' } = value as { kind?: unknown }
  if (!isKind(kind)) return fault(`must be one of ${Object.keys(KINDS).join(', ')}`, ['kind'])
  const result = KINDS[kind].safeParse({ ...value, kind }, { error: schemaMessage })
  if (result.success) return result.data
  for (const issue of result.error.issues) context.addIssue(issue as Parameters<typeof context.addIssue>[0])
  return z.NEVER
})

/** What a source is called. */
export const aliasOf = (source: string | SourceSettings): string => (typeof source === 'string' ? source : source.alias)
