import type { Config } from '@skyscript/core'
import { InputError, messageOf } from '@skyscript/core'
import type { Finding } from './doctor.ts'

type EarthEngineConfig = Config['imagery']['earthEngine']

/** Whether Earth Engine answers, and takes these credentials for this project. */
export async function checkEarthEngine(config: EarthEngineConfig): Promise<Finding> {
  if (config.endpoint === 'local') return { status: 'ok', detail: 'local: images are drawn from the extract itself' }
  const { createEarthEngine } = await import('@skyscript/gee-fetch')
  try {
    const client = createEarthEngine(config)
    try {
      await client.check()
    } finally {
      await client.close()
    }
    return { status: 'ok', detail: `${config.endpoint} answers for project ${config.project ?? '(none)'}` }
  } catch (error) {
    const fix =
      error instanceof InputError
        ? 'Register a Google Cloud project at https://code.earthengine.google.com/register, make a key for a service account in it, and set imagery.earthEngine.project and .credentials; or set endpoint: local to try without.'
        : 'Check the network and imagery.earthEngine.endpoint; or set endpoint: local to try without.'
    return { status: 'fail', detail: messageOf(error), fix }
  }
}
