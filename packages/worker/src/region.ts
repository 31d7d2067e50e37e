import { readFile } from 'node:fs/promises'
import { type Config, InputError, systemReason } from '@skyscript/core'
import { type CutSettings, parseConfig, parseCutSettings } from '@skyscript/core/config'

/** @throws InputError `missing-file` or `bad-config` with every fault in one message */
export const readRegion = async (file: string): Promise<Config> => parseConfig(await textOf(file), file)

/**
 * What `cut` takes from a region file, which need then have neither `osm` nor `output`.
 *
 * @throws as `readRegion`
 */
export const readCutSettings = async (file: string): Promise<CutSettings> => parseCutSettings(await textOf(file), file)

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new InputError(
      'missing-file',
      `${file}: ${systemReason(error)}; give the path of a region file, such as examples/demo/region.yaml.`,
    )
  })
}
