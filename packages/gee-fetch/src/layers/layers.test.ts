import { InputError } from '@skyscript/core'
import { describedSource } from '@skyscript/core/config'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sourceOfLayer } from './layer-source.ts'
import { nearest } from './nearest.ts'
import { readLayers } from './read-layers.ts'

const square = [[7, 46], [8, 46], [8, 47], [7, 47], [7, 46]] // biome-ignore format: one square
const town = {
  type: 'Feature',
  properties: {
    ...{ id: 'town-2021', name: 'Town 2021', type: 'tms', url: 'https://{switch:a,b}.town/{zoom}/{x}/{-y}.png' },
    ...{ license_url: 'https://town/terms', attribution: { text: '© Town', url: 'https://town', required: true } },
    ...{ min_zoom: 5, max_zoom: 20, start_date: '2021-04', end_date: '2021', country_code: 'CH', best: true },
  },
  geometry: { type: 'Polygon', coordinates: [square] },
}
const changed = (changes: object, rest: object = {}) => ({
  ...town,
  ...rest,
  properties: { ...town.properties, ...changes },
})
const index = (...features: unknown[]) => JSON.stringify({ type: 'FeatureCollection', features })

const josm = (entries: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<imagery xmlns="http://josm.openstreetmap.de/maps-1.0">${entries}</imagery>`
const entry = `<entry eli-best="true">
  <name>Town 2021</name><name lang="de">Stadt 2021</name><id>town-2021</id><type>tms</type>
  <url><![CDATA[https://{switch:a,b}.town/{zoom}/{x}/{-y}.png]]></url>
  <bounds min-lat="46" min-lon="7" max-lat="47" max-lon="8"><shape>
    <point lat="46" lon="7"/><point lat="46" lon="8"/><point lat="47" lon="8"/><point lat="47" lon="7"/>
  </shape></bounds>
  <permission-ref>https://town/terms</permission-ref><attribution-text mandatory="true">© Town</attribution-text>
  <min-zoom>5</min-zoom><max-zoom>20</max-zoom><date>2021-04;2021</date>
</entry>`

const TOWN = {
  ...{ id: 'town-2021', name: 'Town 2021', type: 'tms', url: 'https://{switch:a,b}.town/{zoom}/{x}/{-y}.png' },
  ...{ licenceUrl: 'https://town/terms', attribution: '© Town', minZoom: 5, maxZoom: 20, tileSize: null, years: 2021 },
}

describe('a catalogue', () => {
  test("of OSM's editor layer index and of JOSM says the same of the same layer", () => {
    const [ofOsm] = readLayers(index(town), 'a.geojson').layers
    expect(ofOsm).toEqual({ ...TOWN, outline: { type: 'Polygon', coordinates: [square] } })
    const [ofJosm] = readLayers(josm(entry), 'a.xml').layers
    expect(ofJosm).toEqual({ ...TOWN, outline: { type: 'MultiPolygon', coordinates: [[square]] } })
  })

  test('keeps what it can of entries that are broken, and counts these by reason', () => {
    const { layers, broken } = readLayers(
      index(
        ...[town, null, 7, { properties: {} }, changed({ id: 'a', url: '' }), changed({ id: 'b', type: 3 })],
        ...[changed({ id: 'c' }, { geometry: { type: 'Point', coordinates: [7, 46] } }), town],
        changed({ id: 'd' }, { geometry: { type: 'Polygon', coordinates: [[[7, 460], [8, 46], [8, 47]]] } }), // biome-ignore format: one ring
        changed({ id: 'e', max_zoom: 'high', attribution: 'Town' }, { geometry: null }),
      ),
      'a.geojson',
    )
    expect(layers.map(({ id }) => id)).toEqual(['town-2021', 'e'])
    expect(layers[1]).toMatchObject({ maxZoom: null, outline: null, attribution: 'Town' })
    expect(broken).toEqual([
      { id: null, why: 'has no properties' },
      { id: null, why: 'has no properties' },
      { id: null, why: 'has no id' },
      { id: 'a', why: 'has no url' },
      { id: 'b', why: 'has no type' },
      { id: 'c', why: 'has a geometry that is no polygon in degrees' },
      { id: 'town-2021', why: 'has the id of another entry' },
      { id: 'd', why: 'has a geometry that is no polygon in degrees' },
    ])
    expect(readLayers(josm(`${entry}<entry><id>x</id></entry>`), 'a.xml').broken).toEqual([
      { id: 'x', why: 'has no type' },
    ])
  })

  test.each([
    [
      '<!DOCTYPE html><html><body>Sign in</body></html>',
      'a.geojson is a web page; give the address of the file itself',
    ],
    [josm(entry).slice(0, 200), "a.geojson is XML, but not JOSM's list of imagery"],
    ['<rss/>', "a.geojson is XML, but not JOSM's list of imagery"],
    ['[1, 2', 'a.geojson is neither JSON nor XML'],
    ['', 'a.geojson is neither JSON nor XML'],
    ['{"type": "Feature"}', 'a.geojson is JSON, but not a GeoJSON FeatureCollection of layers'],
    ['null', 'a.geojson is JSON, but not a GeoJSON FeatureCollection of layers'],
  ])('that is something else is refused in one sentence: %s', (text, said) => {
    expect(() => readLayers(text, 'a.geojson')).toThrow(said)
  })

  test('whatever JSON it holds is read or refused', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.jsonValue(), fc.record({ properties: fc.jsonValue(), geometry: fc.jsonValue() }))),
        (features) => {
          const { layers, broken } = readLayers(index(...features), 'a.geojson')
          expect(layers.length + broken.length).toBe(features.length)
        },
      ),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string().map((text) => `<${text}`),
        ),
        (text) => {
          try {
            readLayers(text, 'a')
          } catch (error) {
            expect(error).toBeInstanceOf(InputError)
          }
        },
      ),
    )
  })
})

const layerOf = (changes: object, rest: object = {}) => readLayers(index(changed(changes, rest)), 'a').layers[0]!
const stated = { alias: 'TOWN', licence: 'CC BY 4.0' }
const described = (changes: object, more: object = {}, rest: object = {}) =>
  describedSource(sourceOfLayer(layerOf(changes, rest), { ...stated, ...more }), 'the layer')

describe('a layer', () => {
  test('of tiles is a source of the same tiles, of its last level, inside its polygon', () => {
    expect(described({})).toEqual({
      ...{ kind: 'xyz', alias: 'TOWN', title: 'Town 2021', url: 'https://{switch:a,b}.town/{zoom}/{x}/{-y}.png' },
      ...{ zoom: [5, 20], tileSize: 256, years: 2021, licence: 'CC BY 4.0', credit: '© Town' },
      extent: { type: 'Polygon', coordinates: [square] },
    })
    expect(described({ max_zoom: 23 }, { zoom: [0, 18], credit: 'Town', years: [2019, 2021] })).toMatchObject({
      ...{ zoom: [0, 18], credit: 'Town', years: [2019, 2021] },
    })
    expect(described({}, {}, { geometry: null })).toMatchObject({ extent: [-180, -90, 180, 90] })
    expect(described({ start_date: '2019' })).toMatchObject({ years: [2019, 2021] })
    expect(described({ end_date: undefined })).toMatchObject({ years: null })
  })

  test('with a key takes it from the environment, however the catalogue writes it', () => {
    for (const token of ['{apikey}', '{key}', '{api_key}'])
      expect(described({ url: `https://town/{zoom}/{x}/{y}?k=${token}` })).toMatchObject({
        url: `https://town/{zoom}/{x}/{y}?k=\${SKYSCRIPT_SECRET_TOWN}`,
      })
  })

  test.each([
    [{ max_zoom: undefined }, 'the layer town-2021 has no max_zoom; state zoom: [first, last]'],
    [{ type: 'bing' }, 'the layer town-2021 is of type bing, which is not supported'],
    [{ type: 'wms', max_zoom: undefined, url: 'https://town/wms?layers=a' }, 'state gsd, in metres per pixel'],
    [{ url: 'https://town/{zoom}/{x}' }, "can't be used: url: must contain {y}"],
    [{ url: 'https://town/{zoom}/{x}/{y}?{quadkey}' }, 'url: has {quadkey}, which is not known'],
    [{ url: 'https://town/{zoom}/{x}/{y}?token=abc123' }, 'url: holds a key or a login'],
    [{ url: 'ftp://town/{zoom}/{x}/{y}' }, 'url: must be an http(s) URL'],
  ])('that lacks what a source needs is refused in one sentence: %j', (changes, said) => {
    expect(() => described(changes)).toThrow(said)
  })

  test('of maps is asked for as its template says, at the resolution that is stated or that of its last level', () => {
    const url =
      'https://town/wms?map=a.map&FORMAT=image/jpeg&VERSION=1.1.1&SERVICE=WMS&REQUEST=GetMap&LAYERS=dop%3Argb&STYLES=&SRS={proj}&WIDTH={width}&HEIGHT={height}&BBOX={bbox}'
    expect(sourceOfLayer(layerOf({ type: 'wms', url }), { ...stated, gsd: 0.25 })).toEqual({
      ...{ kind: 'wms', alias: 'TOWN', title: 'Town 2021', url: 'https://town/wms?map=a.map', layers: 'dop:rgb' },
      ...{ styles: '', version: '1.1.1', format: 'image/jpeg', gsd: 0.25, years: 2021 },
      ...{ licence: 'CC BY 4.0', credit: '© Town', extent: { type: 'Polygon', coordinates: [square] } },
    })
    expect(sourceOfLayer(layerOf({ type: 'wms', url }), stated)).toMatchObject({ gsd: 0.1 })
  })
})

test('the nearest name is the one with the fewest letters changed', () => {
  const names = ['Brandenburg-DOP20c', 'Hessen-DOP20', 'hamburg-20cm']
  expect(nearest('hessen-dop40', names)).toBe('Hessen-DOP20')
  expect(nearest('hamburg', names)).toBe('hamburg-20cm')
  expect(nearest('x', [])).toBeNull()
})
