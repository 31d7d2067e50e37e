import { formatBytes } from '@skyscript/core'
import { checkChanges, checkExtract } from '@skyscript/pipeline/checks'
import { openStorage } from '../../storages/storages.ts'
import { type Check, finding } from '../check.ts'

/** Builds make the same check of each file when they open it. */
export const extracts: Check = {
  name: 'osm',
  async run({ config, signal }) {
    if (config === null) return []
    const { source, at = null } = config.osm
    const sources = typeof source === 'string' ? [source] : source
    const changes = checkChanges(config.osm, { signal })
    const nameOf = (what: string, i: number, of: readonly unknown[]) => (of.length === 1 ? what : `${what}:${i + 1}`)
    return Promise.all([
      ...sources.map((each, i) =>
        finding(nameOf('osm', i, sources), async () => {
          const { name, bytes, newestChange } = await checkExtract(each, at, { signal, openStorage })
          const facts = [...(bytes === null ? [] : [formatBytes(bytes)]), ...(newestChange ? [newestChange] : [])]
          return facts.length === 0 ? name : `${name} (${facts.join(', ')})`
        }),
      ),
      ...changes.map((look, i) => finding(nameOf('osm.changes', i, changes), look)),
    ])
  },
}
