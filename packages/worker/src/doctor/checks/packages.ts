import { createRequire } from 'node:module'
import { InputError, messageOf } from '@skyscript/core'
import { type Check, finding } from '../check.ts'

/** Packages with native parts, which may not run on an unusual machine. */
export const packages: Check = {
  name: 'packages',
  run: async () => [
    await finding('sharp', () =>
      loaded('sharp', async () => {
        const { default: sharp } = await import('sharp')
        const { data } = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#777' } })
          .jpeg()
          .toBuffer({ resolveWithObject: true })
        await sharp(data, { failOn: 'error' }).raw().toBuffer()
        return `sharp ${sharp.versions.sharp}, JPEG written and read`
      }),
    ),
    await finding('onnxruntime', () =>
      loaded('onnxruntime-node', async () => {
        const { InferenceSession, env } = runtimeOfScorers()
        if (typeof InferenceSession?.create !== 'function') throw new Error('it has no InferenceSession')
        return `onnxruntime-node ${env.versions.node ?? ''}`.trim()
      }),
    ),
  ],
}

async function loaded(name: string, version: () => Promise<string>): Promise<string> {
  try {
    return await version()
  } catch (error) {
    throw new InputError(
      'package-broken',
      `${name} does not load (${messageOf(error).split('\n')[0]}); run \`npm install\` again on this machine, since its binary is for one platform.`,
    )
  }
}

/** The runtime that the scorers load; its native library may not fit the machine. As in the scorers, without telemetry. */
function runtimeOfScorers(): { InferenceSession?: { create?: unknown }; env: { versions: { node?: string } } } {
  process.env.ORT_DISABLE_TELEMETRY ??= '1'
  return createRequire(import.meta.resolve('@skyscript/filter'))('onnxruntime-node')
}
