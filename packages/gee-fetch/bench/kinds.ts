/**
 * Requests and CPU time per image (one core) of each kind of source in a dense town: planned, requested together with
 * neighbours, decoded, cut out, checked and encoded as JPEG. Beside it, what GDAL takes to read and encode the same
 * places, one process each, where gdal-bin is installed. The server is a process of its own, whose time is not counted.
 *
 *   npm run bench:kinds -- [--images 1000]
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  boxOf,
  type FocusObject,
  type ImageCandidate,
  mapTileAt,
  type PlannedImage,
  type SourceSettings,
  type Storage,
} from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import sharp from 'sharp'
import { createCogImagery } from '../src/cog/cog-imagery.ts'
import { gridSystemOf, WEB_MERCATOR } from '../src/crs/grid-system.ts'
import { fetchImages, NO_EARLIER_IMAGES } from '../src/fetch-images.ts'
import { createImagery } from '../src/imagery.ts'
import { planTile } from '../src/plan-tile.ts'
import { sourcesOf } from '../src/sources/sources.ts'
import { createTileImagery } from '../src/web/tiles.ts'

const { values } = parseArgs({ options: { images: { type: 'string', default: '1000' } } })
const IMAGES = Number(values.images)
/** Images of a leaf, whose requests are grouped. */
const LEAF = 128
/** Images that GDAL reads. */
const THEIRS = 20
/** The middle of a town, and the sides of the square in which its objects are, degrees: about a square kilometre. */
const [X, Y, WIDTH, HEIGHT] = [10.7, 48.33, 0.0135, 0.009]
const TILE = mapTileAt([X, Y])
const BOX = [X - WIDTH, Y - HEIGHT, X + WIDTH, Y + HEIGHT] as const
const UTM = gridSystemOf(25832, 'bench:kinds')

// One thread: this measures the work, not how well it is spread.
sharp.concurrency(1)
const folder = mkdtempSync(join(tmpdir(), 'skyscript-kinds-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const hasGdal = spawnSync('gdal_translate', ['--version']).status === 0

/** A picture that compresses like an aerial one: fields, and texture in them. */
async function pictureOf(width: number, height: number): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3)
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)]
    const field = ((Math.floor(x / 37) * 7 + Math.floor(y / 23) * 13) % 5) * 18
    const texture = (x * 2_654_435_761 + y * 40_503) >>> 7
    // Many colours: a picture of few, repeated by its neighbours, says that there is no imagery.
    for (const [channel, base] of [96, 112, 80].entries())
      pixels[3 * i + channel] = base + field + (texture % (23 + 4 * channel))
  }
  const image = sharp(pixels, { raw: { width, height, channels: 3 }, limitInputPixels: false })
  return image.jpeg({ quality: 85 }).toBuffer()
}

async function startServer(): Promise<{ readonly url: string; stop(): void }> {
  for (const size of [256, 512]) writeFileSync(join(folder, `${size}.jpg`), await pictureOf(size, size))
  const code = `
    const read = (size) => require('node:fs').readFileSync('${folder}/' + size + '.jpg')
    const pictures = { 256: read(256), 512: read(512) }
    const server = require('node:http').createServer((request, response) => {
      const [, size = 256] = /[?&](?:WIDTH|size)=(256|512)/i.exec(request.url) ?? []
      response.writeHead(200, { 'content-type': 'image/jpeg' }).end(pictures[size])
    })
    server.listen(0, '127.0.0.1', () => console.log(server.address().port))
    // It ends with this process, however that ends.
    process.stdin.resume().on('end', () => process.exit())
  `
  const program = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] })
  const port = await new Promise<string>((resolve) =>
    program.stdout.once('data', (data) => resolve(String(data).trim())),
  )
  return { url: `http://127.0.0.1:${port}`, stop: () => void program.kill() }
}

/** Points in no order of place, as a map has them. */
const focus = Array.from({ length: IMAGES }, (_, i): FocusObject => {
  const part = (seed: number) => ((Math.imul(i + 1, seed) >>> 0) % 100_003) / 100_003 - 0.5
  const geometry = {
    type: 'Point' as const,
    coordinates: [X + part(2_654_435_761) * WIDTH, Y + part(40_503_007) * HEIGHT] as [number, number],
  }
  return { id: `n${i}`, isArea: false, box: boxOf(geometry), geometry: () => geometry, maxGsd: 1, edited: null }
})

const { tiles, imagery: defaults } = parseConfig(
  JSON.stringify({ output: folder, osm: { source: 'x.osm.pbf' } }),
  join(folder, 'region.yaml'),
)
const nowhere = { put: async () => {}, get: async () => null } as unknown as Storage

/** Neighbours beside each other, as leaves have them. */
const byPlace = ({ candidates: [a] }: PlannedImage, { candidates: [b] }: PlannedImage) =>
  Math.floor(a!.box[0] / 0.002) - Math.floor(b!.box[0] / 0.002) || a!.box[1] - b!.box[1]

async function measure(settings: SourceSettings) {
  const sources = sourcesOf([settings])
  const web = createTileImagery({ fillIn: (address) => address })
  const cog = createCogImagery({ maxConcurrent: 16, maxCloud: 100 })
  const none = () => Promise.reject(new TypeError('This benchmark asks tiles and files only.'))
  const imagery = createImagery(
    { earthEngine: none, oam: none, tiles: async () => web, cog: async () => cog },
    { maxCloud: 100, earthEngineOrigin: () => '' },
  )
  const plan = async () => {
    const planned: PlannedImage[] = []
    const found = planTile({
      ...{ tile: TILE, focus, settings: { sources, prefer: 'listed', year: 'latest', tiles, seed: 1 } },
      candidates: (source) => imagery.find(source, [...BOX]),
      origin: (...which) => imagery.origin(...which),
    })
    for await (const [, outcome] of found) if ('candidates' in outcome) planned.push(outcome)
    return planned.sort(byPlace)
  }
  await plan()
  const before = process.cpuUsage()
  const planned = await plan()
  let kept = 0
  for (let from = 0; from < planned.length; from += LEAF) {
    const outcome = await fetchImages(planned.slice(from, from + LEAF), {
      ...{ imagery, sources, checks: { ...defaults.checks, minDeviation: 0 }, storage: nowhere, seed: 1 },
      ...{ earlier: NO_EARLIER_IMAGES, tile: TILE, grouping: true, signal: new AbortController().signal },
    })
    kept += outcome.kept.length
  }
  const { user, system } = process.cpuUsage(before)
  const { requests } = web.stats()
  await Promise.all([web.close(), cog.close()])
  if (kept < IMAGES) throw new Error(`Only ${kept} of ${IMAGES} images of ${settings.kind} passed the checks.`)
  return { planned, requests: requests / kept, milliseconds: (user + system) / 1000 / kept }
}

/** CPU milliseconds that GDAL takes for an image, of a data set with this description. */
function theirs(dataset: string, images: readonly ImageCandidate[], forward: typeof UTM.forward): number | null {
  if (!hasGdal) return null
  const commands = images.slice(0, THEIRS).map(({ box, width, height }, i) => {
    const [[west, south], [east, north]] = [forward([box[0], box[1]]), forward([box[2], box[3]])]
    const options = `-q -of JPEG -r nearest -outsize ${width} ${height} -projwin ${west} ${north} ${east} ${south}`
    return `gdal_translate ${options} '${dataset}' ${folder}/theirs-${i}.jpg`
  })
  const script = `TIMEFORMAT='%U %S'; time { ${commands.join('; ')}; }`
  const { stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
  const [user, system] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number)
  return ((user! + system!) * 1000) / commands.length
}

const server = await startServer()
const common = { licence: 'none', years: 2022, requests: { concurrent: 16, perSecond: 1000 } }
const described = (settings: Record<string, unknown>): SourceSettings => {
  const region = {
    output: folder,
    osm: { source: 'x.osm.pbf' },
    imagery: { sources: [{ alias: 'TOWN', ...settings }] },
  }
  return parseConfig(JSON.stringify(region), join(folder, 'region.yaml')).imagery.sources[0] as SourceSettings
}
const [east, north] = UTM.forward([X, Y]).map((metres) => Math.round(metres! / 100) * 100) as [number, number]
const grid = {
  ...{ crs: 'EPSG:25832', corner: [east - 51_200, north + 51_200], step: 0.2, tile: [256, 256] },
  ...{ columns: [0, 1999], rows: [0, 1999], template: `${server.url}/{TileRow}/{TileCol}` },
}
const wms = { url: `${server.url}/wms`, crs: 'EPSG:25832', gsd: 0.2, ...common }
const kinds: [name: string, settings: SourceSettings, dataset: string, forward: typeof UTM.forward][] = [
  [
    'xyz, 256 pixels',
    described({ kind: 'xyz', url: `${server.url}/{z}/{x}/{y}`, zoom: [0, 19], ...common }),
    `<GDAL_WMS><Service name="TMS"><ServerUrl>${server.url}/\${z}/\${x}/\${y}</ServerUrl></Service><DataWindow><UpperLeftX>-20037508.34</UpperLeftX><UpperLeftY>20037508.34</UpperLeftY><LowerRightX>20037508.34</LowerRightX><LowerRightY>-20037508.34</LowerRightY><TileLevel>19</TileLevel><YOrigin>top</YOrigin></DataWindow><Projection>EPSG:3857</Projection><BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY><BandsCount>3</BandsCount></GDAL_WMS>`,
    WEB_MERCATOR.forward,
  ],
  [
    'wms, maps of 512',
    described({ kind: 'wms', layers: 'a', version: '1.3.0', format: 'image/jpeg', ...wms }),
    `<GDAL_WMS><Service name="WMS"><Version>1.3.0</Version><ServerUrl>${server.url}/wms?</ServerUrl><Layers>a</Layers><CRS>EPSG:25832</CRS><ImageFormat>image/jpeg</ImageFormat></Service><DataWindow><UpperLeftX>${east - 51_200}</UpperLeftX><UpperLeftY>${north + 51_200}</UpperLeftY><LowerRightX>${east + 51_200}</LowerRightX><LowerRightY>${north - 51_200}</LowerRightY><SizeX>512000</SizeX><SizeY>512000</SizeY></DataWindow><Projection>EPSG:25832</Projection><BlockSizeX>512</BlockSizeX><BlockSizeY>512</BlockSizeY><BandsCount>3</BandsCount></GDAL_WMS>`,
    UTM.forward,
  ],
  [
    'wmts, 256 pixels',
    described({ kind: 'wmts', url: wms.url, layer: 'a', matrixSet: 'b', grid, ...common }),
    '',
    UTM.forward,
  ],
  [
    'arcgis, maps of 512',
    described({ kind: 'arcgis', ...wms, url: `${server.url}/ImageServer`, format: 'jpg' }),
    '',
    UTM.forward,
  ],
]
if (hasGdal) {
  writeFileSync(join(folder, 'town.jpg'), await pictureOf(8192, 8192))
  const file = join(folder, 'town.tif')
  const corners = [east - 819.2, north + 819.2, east + 819.2, north - 819.2].map(String)
  const place = ['-a_srs', 'EPSG:25832', '-a_ullr', ...corners]
  const options = ['-q', '-of', 'COG', '-co', 'COMPRESS=JPEG', '-co', 'QUALITY=85', ...place]
  execFileSync('gdal_translate', [...options, join(folder, 'town.jpg'), file])
  const settings = described({ kind: 'cog', files: [file], range: [0, 255], gsd: 0.2, licence: 'none' })
  kinds.push(['cog, a file with JPEG tiles', settings, file, UTM.forward])
}
process.stdout.write(`${IMAGES} images in about a square kilometre, one core\n`)
process.stdout.write(`${''.padEnd(28)}requests an image   ours, ms   GDAL, ms\n`)
for (const [name, settings, dataset, forward] of kinds) {
  const { planned, requests, milliseconds } = await measure(settings)
  const images = planned.map(({ candidates: [first] }) => first!)
  const gdal = dataset === '' ? null : theirs(dataset, images, forward)
  const asked = settings.kind === 'cog' ? '-' : requests.toFixed(3)
  const cells = [asked.padStart(17), milliseconds.toFixed(1).padStart(11), (gdal?.toFixed(1) ?? '-').padStart(11)]
  process.stdout.write(`${name.padEnd(28)}${cells.join('')}\n`)
}
server.stop()
