import { defineCommand, option, port, positiveInteger, positiveNumber, required, severalTexts } from '../command.ts'

/** Of answers, so that a region that is built again isn't drawn again. */
const CACHE_BYTES = 128 * 2 ** 20

export const localEarthEngine = defineCommand({
  name: 'local-earth-engine',
  description: 'serve imagery drawn from OSM objects through the Earth Engine calls that builds make',
  arguments: {},
  options: {
    port: required(option('--port <n>', 'port on 127.0.0.1; 0 picks a free one', port)),
    features: severalTexts('--features <file...>', 'GeoJSON text sequences, as `skyscript extract` writes them'),
    faults: option(
      '--faults <list>',
      'shares of requests that fail, for example 429:0.1,500:0.05,memory:0.1,restricted:1',
    ),
    latency: option('--latency <ms>', 'mean time before each answer, in milliseconds', positiveNumber),
    memoryPixels: option('--memory-pixels <n>', 'requests for more pixels exceed the memory limit', positiveInteger),
    denied: severalTexts('--denied <asset...>', 'assets that are not shared with the account'),
  },
  async run({ port: number, features, faults, latency, memoryPixels, denied }) {
    const { startLocalEarthEngine } = await import('@skyscript/local-earth-engine')
    const { closeInTime, untilStopped } = await import('../terminal/interrupt.ts')
    const { openTerminal } = await import('../terminal/open-terminal.ts')
    const server = await startLocalEarthEngine({
      features,
      port: number,
      cacheBytes: CACHE_BYTES,
      ...(faults !== undefined && { faults }),
      ...(denied.length > 0 && { denied }),
      ...(memoryPixels !== undefined && { limits: { memoryPixels } }),
      ...(latency !== undefined && { latency: { ms: latency, jitter: 0.3 } }),
    })
    process.stdout.write(`${server.url}\n`)
    openTerminal().note(`Set imagery.earthEngine.endpoint to ${server.url}; press Ctrl-C to stop.`)
    await untilStopped()
    await closeInTime(() => server.close())
  },
})
