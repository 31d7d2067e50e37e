/**
 * An HTTP server that answers the Earth Engine REST calls the pipeline makes (algorithms, value:compute,
 * image:computePixels, assets, listAssets) for sixteen collections, and draws their imagery from OSM features.
 *
 * @example
 * import { startLocalEarthEngine } from '@skyscript/local-earth-engine'
 * const server = await startLocalEarthEngine({ features: ['town.geojsonl'], faults: '429:0.1' })
 * const { algorithms } = await (await fetch(`${server.url}/v1/projects/p/algorithms`)).json()
 * console.log(server.url, algorithms.length, server.stats().byStatus)
 * await server.close()
 */
export { FAULT_KINDS, type FaultKind, type FaultOptions, parseFaults } from './protocol/faults.ts'
export { LIMITS, type Limits } from './protocol/limits.ts'
export type { LocalEarthEngineOptions, Stats } from './protocol/options.ts'
export { type LocalEarthEngine, startLocalEarthEngine } from './protocol/server.ts'
