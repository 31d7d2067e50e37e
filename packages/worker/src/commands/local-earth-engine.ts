import { startLocalEarthEngine } from '@skyscript/local-earth-engine'
import { closeInTime, untilStopped } from '../terminal/interrupt.ts'
import { openTerminal } from './region.ts'

export interface LocalEarthEngineCommandOptions {
  readonly port: number
  readonly features: readonly string[]
  readonly faults?: string
  readonly latency?: number
  readonly denied?: readonly string[]
  readonly memoryPixels?: number
}

/** `skyscript local-earth-engine`: serves until Ctrl-C; its URL is the one line on stdout. */
export async function localEarthEngineCommand(options: LocalEarthEngineCommandOptions): Promise<number> {
  const terminal = openTerminal()
  const server = await startLocalEarthEngine({
    features: options.features,
    port: options.port,
    ...(options.faults !== undefined && { faults: options.faults }),
    ...(options.denied !== undefined && { denied: options.denied }),
    ...(options.memoryPixels !== undefined && { limits: { memoryPixels: options.memoryPixels } }),
    ...(options.latency !== undefined && { latency: { ms: options.latency, jitter: 0.3 } }),
  })
  process.stdout.write(`${server.url}\n`)
  terminal.note(`Set imagery.earthEngine.endpoint to ${server.url}; Ctrl-C ends it.`)
  await untilStopped()
  await closeInTime(() => server.close())
  return 0
}
