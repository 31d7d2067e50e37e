/** Which tags are meant: by key, any value or some. */
export type TagRules = ReadonlyMap<string, true | ReadonlySet<string>>

export function matchesTag(rules: TagRules, key: string, value: string): boolean {
  const values = rules.get(key)
  return values !== undefined && (values === true || values.has(value))
}
