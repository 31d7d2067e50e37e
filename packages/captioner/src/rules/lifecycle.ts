import type { Rule } from './rule.ts'

/** `abandoned:highway=track` is a highway that was: `abandoned road of track`. Seen in released captions. */
export const lifecycle: Rule = {
  name: 'lifecycle',
  apply(draft, { lifecycle: prefixes }) {
    const colon = draft.key.indexOf(':')
    const prefix = draft.key.slice(0, Math.max(colon, 0))
    if (!prefixes.includes(prefix)) return draft
    return {
      ...draft,
      key: draft.key.slice(colon + 1),
      prefix,
      keyText: draft.keyText.slice(prefix.length).trimStart(),
    }
  },
}
