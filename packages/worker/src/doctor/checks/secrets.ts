import { fillIn, withSecrets } from '@skyscript/pipeline/files'
import { type Check, finding } from '../check.ts'

/** Variables of the environment that the region file uses in addresses; a line only where one is missing. */
export const secrets: Check = {
  name: 'secrets',
  preflight: true,
  async run({ config }) {
    if (config === null) return []
    const found = await finding('secrets', async () => {
      withSecrets(config)
      for (const source of config.imagery.sources) if (typeof source !== 'string' && 'url' in source) fillIn(source.url)
      return 'set'
    })
    return found.status === 'ok' ? [] : [found]
  },
}
