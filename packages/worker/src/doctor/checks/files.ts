import { fileChecks } from '@skyscript/pipeline/checks'
import { type Check, finding } from '../check.ts'

/** The smaller files that a region names: osm.clip, captions.tags and the like. Credentials are read by the imagery check. */
export const files: Check = {
  name: 'files',
  preflight: true,
  async run({ config }) {
    if (config === null) return []
    return Promise.all(
      [...fileChecks(config)].map(([setting, read]) =>
        finding(setting, async () => {
          await read()
          return 'can be read'
        }),
      ),
    )
  },
}
