/** Sources that the settings name in a catalogue of editors' backgrounds. */
import { readFile, stat } from 'node:fs/promises'
import {
  type Config,
  formatCounted,
  InputError,
  isUrl,
  type LayerSettings,
  POLITE_REQUESTS,
  redact,
  ServiceError,
  systemReason,
} from '@skyscript/core'
import { describedSource } from '@skyscript/core/config'
import {
  createHosts,
  type HostOptions,
  type LayerCatalogue,
  nearest,
  readLayers,
  sourceOfLayer,
} from '@skyscript/gee-fetch'

/** The whole editor layer index has some 10 MB. */
const MOST_BYTES = 128 * 2 ** 20

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
 * @param say is given a sentence if some entries can't be used
 * @throws InputError `missing-file` or `bad-catalogue`; ServiceError if its server can't be read
 */
export async function readCatalogue(
  place: string,
  say: (text: string) => void,
  options: HostOptions,
  signal?: AbortSignal,
): Promise<LayerCatalogue> {
  const name = redact(place.split('?')[0]!)
  const found = readLayers(isUrl(place) ? await download(place, name, options, signal) : await readText(place), name)
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

async function download(
  place: string,
  name: string,
  options: HostOptions,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hosts = createHosts(options)
  try {
    const { http, url } = await hosts.open(place, POLITE_REQUESTS)
    const shown = `imagery.catalogue: ${name}`
    return (await http.document(url, { shown, most: MOST_BYTES }, signal)).toString('utf8')
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    const { code, retry, message } = error
    const advice = `${message.replace(/\.$/, '')}; check the address, or use a file.`
    throw new ServiceError(code, advice, { retry, cause: error })
  } finally {
    await hosts.close()
  }
}
