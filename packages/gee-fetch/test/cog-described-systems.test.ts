// @module-tag slow
/** Coordinate systems that a GeoTIFF describes by its keys, compared with PROJ's reading of the same file. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { InputError, type Position } from '@skyscript/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GDAL, lacks } from '../../../test/support/needs.ts'
import { localBytes } from '../src/cog/file-bytes.ts'
import { openGeotiff } from '../src/cog/geotiff-file.ts'
import { projectionOf, projectionOfKeys } from '../src/crs/projections.ts'
import { gdal, writePicture } from './cog-set-up.ts'

const run = promisify(execFile)
let folder: string
const at = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cog-described-'))
  await writePicture(at('picture.ppm'), 20, 20)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Eastings and northings by PROJ, in the system of a file or a code. */
async function byProj(system: string, places: readonly Position[]): Promise<Position[]> {
  const asking = run('gdaltransform', ['-s_srs', 'EPSG:4326', '-t_srs', system, '-output_xy'])
  asking.child.stdin!.end(places.map((each) => each.join(' ')).join('\n'))
  const lines = (await asking).stdout.trim().split('\n')
  return lines.map((line) => line.split(' ').map(Number) as unknown as Position)
}

const BERN: Position = [7.44, 46.95]
const KANSAS: Position = [-98.5, 38.7]
const LUZON: Position = [121, 15]
const TASMANIA: Position = [147, -42]
const ROSS: Position = [170, -78]
const SVALBARD: Position = [16, 78]
const MALAY: Position = [102, 4]
const BORNEO: Position = [115, 4.5]
const MODERN = '+ellps=GRS80 +towgs84=0,0,0,0,0,0,0'

describe.skipIf(lacks(GDAL))('compared with gdaltransform', () => {
  test.each([
    ['transverse Mercator', `+proj=tmerc +lat_0=46 +lon_0=7 +k=0.9997 +x_0=123456 +y_0=-5000 ${MODERN} +units=m`, BERN],
    [
      'in US feet',
      `+proj=tmerc +lat_0=36 +lon_0=-98 +k=0.99995 +x_0=200000 +y_0=100000 ${MODERN} +units=us-ft`,
      KANSAS,
    ],
    [
      'in international feet',
      `+proj=lcc +lat_1=37 +lat_2=39 +lat_0=36 +lon_0=-98 +x_0=400000 +y_0=0 ${MODERN} +units=ft`,
      KANSAS,
    ],
    ['in a custom unit', `+proj=tmerc +lat_0=46 +lon_0=7 +k=1 +x_0=0 +y_0=0 ${MODERN} +to_meter=2.5`, BERN],
    [
      'Lambert conformal, one parallel',
      `+proj=lcc +lat_1=46.5 +lat_0=46.5 +lon_0=7 +k_0=0.9998 +x_0=600000 +y_0=200000 ${MODERN}`,
      BERN,
    ],
    [
      'Lambert conformal, two parallels',
      `+proj=lcc +lat_1=45 +lat_2=49 +lat_0=46.5 +lon_0=3 +x_0=700000 +y_0=6600000 ${MODERN}`,
      BERN,
    ],
    ['Albers', `+proj=aea +lat_1=29.5 +lat_2=45.5 +lat_0=23 +lon_0=-96 +x_0=1000 +y_0=2000 ${MODERN}`, KANSAS],
    ['Lambert equal area', `+proj=laea +lat_0=50 +lon_0=9 +x_0=4321000 +y_0=3210000 ${MODERN}`, BERN],
    [
      'polar stereographic, south',
      '+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=10 +x_0=5000 +y_0=6000 +datum=WGS84',
      ROSS,
    ],
    ['polar stereographic, north', '+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +x_0=0 +y_0=0 +datum=WGS84', SVALBARD],
    [
      'polar stereographic by a scale',
      '+proj=stere +lat_0=90 +k=0.994 +lon_0=5 +x_0=2000000 +y_0=2000000 +datum=WGS84',
      SVALBARD,
    ],
    ['oblique stereographic', `+proj=sterea +lat_0=47 +lon_0=8 +k=0.9999 +x_0=155000 +y_0=463000 ${MODERN}`, BERN],
    [
      'oblique Mercator from its origin',
      `+proj=omerc +no_uoff +lat_0=4 +lonc=102.25 +alpha=323.025796388889 +gamma=323.130102361111 +k=0.99984 +x_0=804671 +y_0=0 ${MODERN}`,
      MALAY,
    ],
    [
      'oblique Mercator from its centre',
      `+proj=omerc +lat_0=4 +lonc=115 +alpha=53.3158204722222 +gamma=53.1301023611111 +k=0.99984 +x_0=590476.87 +y_0=442857.65 ${MODERN}`,
      BORNEO,
    ],
    ['Mercator by a parallel', `+proj=merc +lat_ts=40 +lon_0=7 +x_0=10 +y_0=20 ${MODERN}`, BERN],
    ['Mercator by a scale', `+proj=merc +k=0.997 +lon_0=110 +x_0=3900000 +y_0=900000 ${MODERN}`, LUZON],
    ['equidistant conic', `+proj=eqdc +lat_1=43 +lat_2=62 +lat_0=30 +lon_0=10 +x_0=0 +y_0=0 ${MODERN}`, BERN],
    ['azimuthal equidistant', `+proj=aeqd +lat_0=46 +lon_0=7 +x_0=0 +y_0=0 ${MODERN}`, BERN],
    ['equirectangular', '+proj=eqc +lat_ts=30 +lat_0=0 +lon_0=7 +x_0=0 +y_0=0 +datum=WGS84', BERN],
    ['Cassini', `+proj=cass +lat_0=46 +lon_0=7 +x_0=1000 +y_0=2000 ${MODERN}`, BERN],
    ['polyconic', `+proj=poly +lat_0=0 +lon_0=120 +x_0=0 +y_0=0 ${MODERN}`, LUZON],
    ['sinusoidal on a sphere', '+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181', BERN],
    ['cylindrical equal area', '+proj=cea +lat_ts=30 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84', BERN],
    ['UTM on a datum described by its shift', '+proj=utm +zone=32 +ellps=intl +towgs84=-87,-98,-121,0,0,0,0', BERN],
    [
      'a custom ellipsoid',
      '+proj=tmerc +lat_0=-42 +lon_0=146 +k=1 +x_0=0 +y_0=0 +a=6378160 +rf=298.25 +towgs84=-117.763,-51.51,139.061,0.292,0.443,0.277,-0.191',
      TASMANIA,
    ],
  ] as const)('%s: a place is within a metre of PROJ’s, and converts back', async (name, definition, place) => {
    const file = at(`${name}.tif`)
    // The file's centre is at the place, so that its edges can be projected.
    const [[x, y]] = (await byProj(definition, [place])) as [Position]
    const options = ['-of', 'GTiff', '-a_srs', definition, '-a_ullr', x - 10, y + 10, x + 10, y - 10]
    await gdal('gdal_translate', ...options, at('picture.ppm'), file)
    const { projection } = await openGeotiff(localBytes(file), file)
    const around = [-0.3, 0, 0.3].flatMap((dx) => [-0.2, 0.2].map((dy): Position => [place[0] + dx, place[1] + dy]))
    const { stdout: described } = await run('gdalsrsinfo', ['-o', 'wkt2_2019', '--single-line', file])
    const expected = await byProj(described.trim(), around)
    for (const [i, each] of around.entries()) {
      const found = projection.forward(each)
      expect(Math.hypot(found[0] - expected[i]![0], found[1] - expected[i]![1]), `${each}`).toBeLessThan(1)
      const back = projection.inverse(found)
      expect(Math.hypot(back[0] - each[0], back[1] - each[1])).toBeLessThan(1e-6)
    }
  })
})

describe('partial descriptions', () => {
  const WGS84 = { GTModelTypeGeoKey: 1, ProjectedCSTypeGeoKey: 32767, GeographicTypeGeoKey: 4326 }

  test('the projection’s code may name a UTM zone', () => {
    const utm = (code: number) => projectionOfKeys({ ...WGS84, ProjectionGeoKey: code }, 'a.tif').forward([7, 46])
    expect(utm(16032)).toEqual(projectionOf(32632, 'a.tif').forward([7, 46]))
    expect(utm(16132)[1] - utm(16032)[1]).toBeCloseTo(10_000_000, 3)
  })

  test('the file’s unit applies, even with a code', () => {
    const metres = projectionOfKeys({ GTModelTypeGeoKey: 1, ProjectedCSTypeGeoKey: 26914 }, 'a.tif').forward(KANSAS)
    const feet = projectionOfKeys(
      { GTModelTypeGeoKey: 1, ProjectedCSTypeGeoKey: 26914, ProjLinearUnitsGeoKey: 9003 },
      'a.tif',
    ).forward(KANSAS)
    expect((feet[0] * 1200) / 3937).toBeCloseTo(metres[0], 3)
  })

  test.each([
    ['an unknown transformation', { ProjCoordTransGeoKey: 4 }, /transformation 4/],
    ['only words', { PCSCitationGeoKey: 'somewhere' }, /words/],
    ['an unknown projection', { ProjectionGeoKey: 15914 }, /projection 15914/],
    ['an unknown unit', { ProjCoordTransGeoKey: 1, ProjLinearUnitsGeoKey: 9999 }, /unit 9999/],
    ['an unknown datum', { ProjCoordTransGeoKey: 1, GeographicTypeGeoKey: 9998 }, /EPSG:9998/],
    [
      'a datum without a shift',
      { ProjCoordTransGeoKey: 1, GeographicTypeGeoKey: 32767, GeogEllipsoidGeoKey: 7004 },
      /shift/,
    ],
    ['a datum that needs a grid', { ProjCoordTransGeoKey: 1, GeographicTypeGeoKey: 4267 }, /grid/],
    ['no ellipsoid', { ProjCoordTransGeoKey: 1, GeographicTypeGeoKey: undefined }, /ellipsoid/],
  ] as const)('%s is refused by name', (_, keys, said) => {
    const reading = () => projectionOfKeys({ ...WGS84, ...keys }, 'a.tif')
    expect(reading).toThrow(InputError)
    expect(reading).toThrow(said)
    expect(reading).toThrow(/a\.tif.*gdalwarp/)
  })
})
