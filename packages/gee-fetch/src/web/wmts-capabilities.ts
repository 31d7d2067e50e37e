/** What a Web Map Tile Service says of itself: OGC 07-057r7. */
import { type Box, boxCenter, boxContains, type WmtsSettings } from '@skyscript/core'
import { epsgOf, type GridSystem, gridSystemOf, isInDegrees } from '../crs/grid-system.ts'
import type { Element } from '../xml-element.ts'
import { formatFor, NOTHING_HERE, placeOf } from './choices.ts'
import { boundsOf, documentOf, termsOf } from './ogc-xml.ts'
import { absoluteOf, type Completed, type Fault, faultOf, listed, type Service, withQuery } from './service.ts'
import { timesFor } from './times.ts'
import { wmtsSource } from './wmts.ts'

type Grid = NonNullable<WmtsSettings['grid']>

/** Metres of a pixel at a scale of 1: the specification's pixel is 0.28 mm wide. */
const PIXEL_METRES = 0.00028
/** Metres in a degree, as scale denominators count them: on the equator of WGS84. */
const DEGREE_METRES = (2 * Math.PI * 6_378_137) / 360

/**
 * Settings with everything that the service says: the pixels of the matrix, the address of its tiles, times, and an
 * extent within that of the layer.
 *
 * @throws InputError for a layer, a matrix set or a matrix that it doesn't have; ServiceError where it can't be read
 */
export async function completeWmts(settings: WmtsSettings, service: Service): Promise<Completed<WmtsSettings>> {
  const { alias, url, requests } = settings
  const base = url.split('?')[0]!
  const fault = faultOf(settings)
  const address = /\.xml$/i.test(base)
    ? url
    : withQuery(url, { SERVICE: 'WMTS', VERSION: '1.0.0', REQUEST: 'GetCapabilities' })
  const root = documentOf(await service.document(address, requests), ['Capabilities'], `${alias}: ${base}`)
  const contents = root.at('Contents')
  const layers = contents.all('Layer')
  const names = typeof settings.layer === 'string' ? [settings.layer] : Object.values(settings.layer)
  const own = names.map((name) => {
    const layer = layers.find((each) => identifierOf(each) === name)
    if (!layer) throw fault(`has no layer ${name}; name one of ${listed(layers.map(identifierOf))}`)
    return layer
  })
  const [layer] = own as [Element]
  const place = placeOf(settings.extent, own.map(extentOf))
  if (place === null) throw fault(NOTHING_HERE)
  const timed = layer.all('Dimension').find((each) => isTime(identifierOf(each)))
  const values = timed?.all('Value').map((each) => each.text)
  const said = values?.join() ?? null
  const times = typeof settings.layer === 'string' ? timesFor(settings.times, said, alias, fault) : undefined
  const dimensions = layer.all('Dimension').map(identifierOf)
  for (const name of Object.keys(settings.dimensions))
    if (!dimensions.some((each) => each.toLowerCase() === name.toLowerCase()))
      throw fault(`has no dimension ${name} for the layer; name one of ${listed(dimensions)}`)
  const complete = { ...settings, extent: place.extent, ...(times && { times }) }
  const offered = layer.all('Format').map((each) => each.text)
  const gridWith = (format: string): Grid => {
    const { matrix, ...pixels } = pixelsOf(complete, layer, contents, place.box, fault)
    const template = templateOf(complete, layer, root, { matrix, format, isTimed: Boolean(times) })
    if (!['tilerow', 'tilecol'].every((name) => template.toLowerCase().includes(`{${name}}`)))
      throw fault('has tiles of the layer at an address without {TileRow} and {TileCol}')
    return { ...pixels, template }
  }
  const sourceWith = (format: string) => wmtsSource({ ...complete, format, grid: gridWith(format) })
  const format = settings.format ?? (await formatFor(offered, sourceWith, service, fault))
  return {
    settings: { ...complete, format, grid: settings.grid ?? gridWith(format) },
    terms: termsOf(root.at('ServiceIdentification')),
  }
}

const identifierOf = (element: Element): string => element.at('Identifier').text
const isTime = (name: string): boolean => name.toLowerCase() === 'time'

function extentOf(layer: Element): Box | null {
  const box = layer.at('WGS84BoundingBox')
  return boundsOf([...box.at('LowerCorner').numbers, ...box.at('UpperCorner').numbers])
}

/** The pixels of the finest matrix that the layer has, or of the one that the settings name. */
function pixelsOf(
  { alias, matrixSet, matrix, axis }: WmtsSettings,
  layer: Element,
  contents: Element,
  extent: Box,
  fault: Fault,
): Omit<Grid, 'template'> & { readonly matrix: string } {
  const links = layer.all('TileMatrixSetLink')
  const link = links.find((each) => each.at('TileMatrixSet').text === matrixSet)
  const set = contents.all('TileMatrixSet').find((each) => identifierOf(each) === matrixSet)
  if (!link || !set)
    throw fault(
      `has no tile matrix set ${matrixSet} for the layer; name one of ${listed(links.map((each) => each.at('TileMatrixSet').text))}`,
    )
  const limits = link.at('TileMatrixSetLimits').all('TileMatrixLimits')
  const limitsOf = (each: Element) => limits.find((limit) => limit.at('TileMatrix').text === identifierOf(each))
  const matrices = set.all('TileMatrix').filter((each) => limits.length === 0 || limitsOf(each))
  const scaleOf = (each: Element) => Number(each.at('ScaleDenominator').text)
  const chosen =
    matrix === undefined
      ? matrices.toSorted((a, b) => scaleOf(a) - scaleOf(b))[0]
      : matrices.find((each) => identifierOf(each) === matrix)
  if (!chosen)
    throw fault(
      `has no tile matrix ${matrix ?? ''} in ${matrixSet} for the layer; name one of ${listed(matrices.map(identifierOf))}`,
    )
  const named = set.at('SupportedCRS').text
  const epsg = epsgOf(named)
  if (epsg === null) throw fault(`has ${matrixSet} in ${named}, which is not known here`)
  const system = gridSystemOf(epsg, alias)
  const number = (name: string) => Number(chosen.at(name).text)
  const tile: Grid['tile'] = [number('TileWidth'), number('TileHeight')]
  const [columns, rows] = [number('MatrixWidth'), number('MatrixHeight')]
  const step = (scaleOf(chosen) * PIXEL_METRES) / (isInDegrees(system) ? DEGREE_METRES : system.unit)
  const [first, second] = chosen.at('TopLeftCorner').numbers
  if (![...tile, columns, rows, step].every((each) => each > 0) || ![first, second].every(Number.isFinite))
    throw fault(
      `describes tile matrix ${identifierOf(chosen)} without its scale, corner or sizes; name another as matrix of the source`,
    )
  const size = [columns * tile[0] * step, rows * tile[1] * step] as const
  const limit = limitsOf(chosen)
  const side = (name: string, otherwise: number) => (limit ? Number(limit.at(name).text) : otherwise)
  return {
    matrix: identifierOf(chosen),
    crs: `EPSG:${epsg}`,
    corner: cornerOf([first!, second!], named, axis, system, size, extent),
    step,
    tile,
    columns: [side('MinTileCol', 0), side('MaxTileCol', columns - 1)],
    rows: [side('MinTileRow', 0), side('MaxTileRow', rows - 1)],
  }
}

/**
 * The corner's easting and northing. After a URN, coordinates are in the order of the system's definition; after a plain
 * `EPSG:4326`, easting comes first. If the matrix then doesn't cover the layer, but would in the other order, that is taken.
 */
function cornerOf(
  [first, second]: readonly [number, number],
  named: string,
  axis: WmtsSettings['axis'],
  system: GridSystem,
  [width, height]: readonly [number, number],
  extent: Box,
): [number, number] {
  const isUrn = /^(urn|http)/i.test(named) && !/(?:CRS|OGC[:\d.]*):?84$/i.test(named)
  const isNorthFirst = axis === 'by-definition' ? isUrn && system.isNorthFirst : axis === 'north-first'
  const inOrder: [number, number] = isNorthFirst ? [second, first] : [first, second]
  const swapped: [number, number] = [inOrder[1], inOrder[0]]
  if (axis !== 'by-definition') return inOrder
  const [x, y] = system.forward(boxCenter(extent))
  const covers = ([west, north]: readonly [number, number]) =>
    boxContains([west, north - height, west + width, north], [x!, y!, x!, y!])
  return !covers(inOrder) && covers(swapped) ? swapped : inOrder
}

/** The address of a tile: RESTful where the layer has such, else with a query; the query of the settings stays in it. */
function templateOf(
  { url, layer, matrixSet, style, dimensions }: WmtsSettings,
  element: Element,
  root: Element,
  { matrix, format, isTimed }: { readonly matrix: string; readonly format: string; readonly isTimed: boolean },
): string {
  const [base = '', query = ''] = url.split(/\?(.*)/s)
  const defaultStyle =
    element.all('Style').find((each) => each.attribute('isDefault') === 'true') ?? element.at('Style')
  const stated = new Map(Object.entries(dimensions).map(([name, value]) => [name.toLowerCase(), value]))
  const others = element
    .all('Dimension')
    .filter((each) => !isTimed || !isTime(identifierOf(each)))
    .map((each) => {
      const name = identifierOf(each)
      return [name, stated.get(name.toLowerCase()) ?? (each.at('Default').text || each.at('Value').text)] as const
    })
  const values = new Map([
    ['tilematrixset', matrixSet],
    ['tilematrix', matrix],
    ['style', style ?? identifierOf(defaultStyle)],
    ...others.map(([name, value]) => [name.toLowerCase(), value] as const),
  ])
  const resources = element.all('ResourceURL').filter((each) => each.attribute('resourceType') === 'tile')
  const resource = resources.find((each) => each.attribute('format') === format) ?? resources[0]
  if (resource && typeof layer === 'string') {
    const template = absoluteOf(resource.attribute('template') ?? '', base)
    const filled = template.replace(/\{(\w+)\}/g, (token, name: string) => {
      const value = values.get(name.toLowerCase())
      return value === undefined ? token : encodeURIComponent(value)
    })
    return query === '' ? filled : withQuery(filled, Object.fromEntries(new URLSearchParams(query)))
  }
  const operation = root.at('OperationsMetadata').all('Operation')
  const getTile =
    operation
      .find((each) => each.attribute('name') === 'GetTile')
      ?.at('DCP', 'HTTP')
      .all('Get') ?? []
  const href = getTile
    .find((get) => /KVP/i.test(get.at('Constraint', 'AllowedValues', 'Value').text || 'KVP'))
    ?.attribute('href')
    ?.split('?')[0]
  return withQuery(`${absoluteOf(href ?? '', base)}?${query}`, {
    SERVICE: 'WMTS',
    VERSION: '1.0.0',
    REQUEST: 'GetTile',
    LAYER: '{Layer}',
    STYLE: values.get('style'),
    FORMAT: format,
    TILEMATRIXSET: matrixSet,
    TILEMATRIX: matrix,
    TILEROW: '{TileRow}',
    TILECOL: '{TileCol}',
    ...(isTimed && { TIME: '{Time}' }),
    ...Object.fromEntries(others.map(([name, value]) => [name.toUpperCase(), value])),
  })
}
