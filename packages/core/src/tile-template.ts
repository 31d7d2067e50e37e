/** The tokens of a template of addresses, without those of the environment: `z` of `{z}`, but not `${NAME}`. */
export const templateTokens = (template: string): string[] =>
  [...template.matchAll(/(\$?)\{([^}]*)\}/g)].filter(([, dollar]) => dollar === '').map(([, , name]) => name!)

/** Whether the address of a source of tiles is that of a TileJSON, which says where they are, and no template of theirs. */
export const isTileJson = (url: string): boolean => templateTokens(url).every((name) => name === 'key')

/** A template with the first of servers that take turns. */
export const withFirstServer = (template: string): string => template.replace(/\{switch:([^,}]*)[^}]*\}/g, '$1')

/** The host in a template of addresses, of servers that take turns the first; null where it is a secret. */
export const templateHost = (template: string): string | null => URL.parse(withFirstServer(template))?.host || null
