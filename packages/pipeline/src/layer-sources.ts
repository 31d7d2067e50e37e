/** Sources that the settings name in a catalogue of editors' backgrounds. */
import { readFile, stat } from 'node:fs/promises'
import {
  type Config,
  formatCounted,
  InputError,
  isUrl,
  type LayerSettings,
  redact,
  retrying,
  ServiceError,
  systemReason,
} from '@skyscript/core'
import { describedSource } from '@skyscript/core/config'
import { type LayerCatalogue, nearest, readLayers, sourceOfLayer } from '@skyscript/gee-fetch'
import { httpFetch, reasonOf } from '@skyscript/http'
import { fillIn } from './private-addresses.ts'

/** The whole editor layer index has some 10 MB. */
const MOST_BYTES = 128 * 2 ** 20
const DEADLINE_MS = 60_000
const TRIES = 3
const PAUSE_MS = 1000

type Settings = Pick<Config, 'imagery'>

/**
 * The settings with layers of `imagery.catalogue` described as sources of the user's, and without the catalogue: what was
 * read of it counts, and not where it is.
 *
 * @param read reads the catalogue; called only if a layer is named
 * @throws InputError `no-catalogue`, `no-such-layer` or `bad-layer`; what `read` throws
 */
export async function withLayers<T extends Settings>(
  config: T,
  read: (catalogue: string) => Promise<LayerCatalogue>,
): Promise<T> {
  const { sources, catalogue } = config.imagery
  const layers = sources.filter(isLayer)
  if (layers.length > 0 && catalogue === null)
    throw new InputError(
      'no-catalogue',
      `imagery.sources names the layer ${layers[0]!.index}; set imagery.catalogue to the file or URL that lists it.`,
    )
  const known = layers.length > 0 ? await read(catalogue!) : null
  const settled = sources.map((source) => (isLayer(source) ? settle(source, known!) : source))
  return { ...config, imagery: { ...config.imagery, sources: settled, catalogue: null } }
}

const isLayer = (source: Config['imagery']['sources'][number]): source is LayerSettings =>
  typeof source !== 'string' && source.kind === 'index'

function settle({ kind: _kind, index, ...stated }: LayerSettings, { layers, broken }: LayerCatalogue) {
  const layer = layers.find(({ id }) => id === index)
  if (layer) return describedSource(sourceOfLayer(layer, stated), `imagery.sources: the layer ${index}`)
  const fault = broken.find(({ id }) => id === index)
  if (fault)
    throw new InputError('bad-layer', `imagery.sources: the layer ${index} can't be used: its entry ${fault.why}.`)
  const near = nearest(
    index,
    layers.map(({ id }) => id),
  )
  throw new InputError(
    'no-such-layer',
    `imagery.catalogue has no layer ${index}${near === null ? '' : `; the nearest is ${near}`}.`,
  )
}

/**
 * Reads a catalogue: a file, or a URL whose secrets are still placeholders.
 *
 * @param say told how many entries can't be used
 * @throws InputError `missing-file` or `bad-catalogue`; ServiceError `imagery-unreachable`
 */
export async function readCatalogue(
  place: string,
  say: (text: string) => void,
  signal?: AbortSignal,
): Promise<LayerCatalogue> {
  const name = redact(place.split('?')[0]!)
  const found = readLayers(isUrl(place) ? await download(place, name, signal) : await readText(place), name)
  const { layers, broken } = found
  if (broken.length > 0) {
    const [{ id, why }] = broken as [LayerCatalogue['broken'][number]]
    say(
      `imagery.catalogue: ${formatCounted(broken.length, 'entry', 'entries')} of ${name} can't be used, such as ${id ?? 'one'}, which ${why}; the other ${layers.length} can.`,
    )
  }
  return found
}

async function readText(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MOST_BYTES) throw tooLarge(path)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('missing-file', `imagery.catalogue: ${path} can't be read (${systemReason(error)}).`)
  }
}

const tooLarge = (name: string) =>
  new InputError('bad-catalogue', `imagery.catalogue: ${name} has more than ${MOST_BYTES / 2 ** 20} MB.`)

function download(place: string, name: string, signal: AbortSignal | undefined): Promise<string> {
  const address = fillIn(place)
  const once = async () => {
    const deadline = AbortSignal.timeout(DEADLINE_MS)
    try {
      const response = await httpFetch(address, { signal: signal ? AbortSignal.any([signal, deadline]) : deadline })
      if (!response.ok) throw failed(`answered ${response.status}`, response.status >= 500 || response.status === 429)
      const bytes = await response.arrayBuffer()
      if (bytes.byteLength > MOST_BYTES) throw tooLarge(name)
      return Buffer.from(bytes).toString('utf8')
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (error instanceof InputError || error instanceof ServiceError) throw error
      throw failed(`did not answer (${deadline.aborted ? 'not within a minute' : reasonOf(error)})`, true)
    }
  }
  const failed = (what: string, retry: boolean) =>
    new ServiceError('imagery-unreachable', `imagery.catalogue: ${name} ${what}; check the address, or use a file.`, {
      retry,
    })
  return retrying(once, { tries: TRIES, pauseMs: PAUSE_MS, ...(signal && { signal }) })
}
