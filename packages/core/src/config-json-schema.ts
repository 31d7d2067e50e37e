import { z } from 'zod'
import { configSchema } from './config-schema.ts'
import { sourceForms, sourceSetting, sourcesSetting } from './config-sources.ts'

/** As much of JSON Schema as describes region files. */
export interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
}

/** The JSON schema (draft 2020-12) of region files, for editors and for the reference. Descriptions are Markdown. */
export function configJsonSchema(): JsonSchema {
  const options = { io: 'input', unrepresentable: 'any' } as const
  const forms = () =>
    sourceForms.map((form) => {
      const { $schema: _, ...schema } = z.toJSONSchema(form, options)
      return schema
    })
  return z.toJSONSchema(configSchema, {
    ...options,
    override: ({ zodSchema, jsonSchema }) => {
      // The list, or `auto` in its place.
      if ((zodSchema as unknown) === sourcesSetting) Object.assign(jsonSchema, { type: ['array', 'string'] })
      if ((zodSchema as unknown) === sourceSetting) Object.assign(jsonSchema, { anyOf: forms() })
    },
  }) as JsonSchema
}
