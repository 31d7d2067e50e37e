import { expect, test } from 'vitest'
import { parseConfig } from './config.ts'
import { InputError } from './errors.ts'

const minimal = 'osm: { source: town.osm.pbf }\noutput: ./out\n'

test('a region file needs only osm and output, and relative paths start at its folder', () => {
  const config = parseConfig(minimal, '/regions/town.yaml')
  expect(config.osm.source).toBe('/regions/town.osm.pbf')
  expect(config.output).toBe('/regions/out')
  expect(config).toMatchObject({
    name: 'SkyScript',
    seed: 51,
    queue: 'embedded',
    selection: { cells: 'all', rareTagsBelow: 50, maxPerTag: null },
    tiles: { minPixels: 100, maxPixels: 1000, pointPixels: 300, shift: 0.2 },
    filter: { top: [30, 50], val: 5000, test: 30000, split: { by: 'block', degrees: 'auto', val: 1, test: 3 } },
  })
  expect(config.imagery.sources).toEqual(['CH', 'ES', 'DE', 'FI', 'US', 'P3', 'P5', 'S2', 'L8', 'L9'])
})

test('every fault is told at once, each with the path of its field', () => {
  const text =
    'osm: { clip: [5, 3, 2, 1] }\nimagery: { sources: [XX] }\ntiles: { minPixels: 500, maxPixels: 200 }\nsead: 3\nfilter: { top: [0] }\nqueue: http://x\n'
  const error = (() => {
    try {
      parseConfig(text, 'region.yaml')
    } catch (thrown) {
      return thrown
    }
  })()
  expect(error).toBeInstanceOf(InputError)
  const message = (error as InputError).message
  for (const path of [
    'osm.source',
    'osm.clip',
    'imagery.sources[0]',
    'tiles.minPixels',
    'sead',
    'filter.top[0]',
    'queue',
    'output',
  ]) {
    expect(message).toContain(`  ${path}:`)
  }
})

test('text that is not YAML is refused with the line', () => {
  expect(() => parseConfig('osm: [', 'region.yaml')).toThrow(/region\.yaml has a fault:\n.*line 1/)
})

test('URLs and hub ids are not taken for paths', () => {
  const config = parseConfig(
    'osm: { source: [https://example.org/a.osm.pbf, b.osm.pbf] }\noutput: s3://bucket/p\nfilter: { scorers: [{ name: a, model: o/m }, { name: b, model: ./m }] }\n',
    '/r/x.yaml',
  )
  expect(config.osm.source).toEqual(['https://example.org/a.osm.pbf', '/r/b.osm.pbf'])
  expect(config.output).toBe('s3://bucket/p')
  expect(config.filter.scorers.map(({ model }) => model)).toEqual(['o/m', '/r/m'])
})

test('a source of the user is described in full, with defaults; its files start at the folder of the region', () => {
  const text = `${minimal}imagery:
  sources:
    - US
    - { alias: NIR, id: USDA/NAIP/DOQQ, bands: [N, R, G], range: [0, 255], gsd: 0.6 }
    - { kind: cog, alias: MINE, files: [a.tif, https://host/b.tif], range: [0, 4000], gsd: 2 }
    - { kind: cog, alias: CAT, stac: https://host/stac, collection: c, assets: [visual], range: [0, 255], gsd: 10 }
`
  const [us, infrared, mine, catalogue] = parseConfig(text, '/regions/town.yaml').imagery.sources
  expect(us).toBe('US')
  expect(infrared).toMatchObject({
    kind: 'earth-engine',
    extent: [-180, -90, 180, 90],
    cloudMask: null,
    licence: 'unknown',
  })
  expect(mine).toMatchObject({ files: ['/regions/a.tif', 'https://host/b.tif'], bands: [1, 2, 3], mosaic: 'item' })
  expect(catalogue).toMatchObject({ stac: 'https://host/stac', files: [] })
})

test.each([
  ['{ alias: US, id: a/b, bands: [R, G, B], range: [0, 1], gsd: 1 }', 'alias: is the name of a shipped source'],
  ['{ alias: nir, id: a/b, bands: [R, G, B], range: [0, 1], gsd: 1 }', 'alias: must be 2 to 8 capital letters'],
  ['{ alias: NIR, id: a/b, bands: [R, G], range: [0, 1], gsd: 1 }', 'bands'],
  ['{ alias: NIR, id: a/b, bands: [R, G, B], range: [1, 0], gsd: 1 }', 'range: must be [black, white]'],
  ['{ alias: NIR, id: "a b", bands: [R, G, B], range: [0, 1], gsd: 1 }', 'id: must be an Earth Engine asset id'],
  ['{ alias: NIR, id: a/b, bands: [R, G, B], range: [0, 1], gsd: 1, bandz: 1 }', 'bandz: unknown field'],
  ['{ kind: ftp, alias: NIR }', 'kind: must be one of earth-engine, cog'],
  ['{ kind: cog, alias: CAT, range: [0, 1], gsd: 1 }', 'stac: must be given, or else files'],
  ['{ kind: cog, alias: CAT, stac: https://h, range: [0, 1], gsd: 1 }', 'collection: must be given with stac'],
  ['7', 'must be the name of a source'],
])('a source that is not described well is refused with the path of the fault: %s', (source, said) => {
  const text = `${minimal}imagery: { sources: [CH, ${source}] }\n`
  let message = ''
  try {
    parseConfig(text, 'region.yaml')
  } catch (error) {
    message = (error as InputError).message
  }
  expect(message).toContain('imagery.sources[1]')
  expect(message).toContain(said)
})

test.each([
  'http://me:s3cr3t@gpu:8080',
  'https://s3cr3t@gpu',
  'https://:s3cr3t@gpu',
  'https://gpu/v1?key=s3cr3t',
  'https://gpu#s3cr3t',
])('no secret gets into the settings, which are stored, with the address of a service: %s', (url) => {
  const parse = (more: string) => () =>
    parseConfig(`osm: { source: a.pbf }\noutput: ./out\n${more}\n`, '/data/region.yaml')
  for (const [setting, more] of [
    ['imagery.earthEngine.endpoint', `imagery: { earthEngine: { endpoint: "${url}" } }`],
    [
      'filter.scorers[0].server.url',
      `filter: { scorers: [{ name: a, model: ./m, server: { url: "${url}", vision: v, text: t } }] }`,
    ],
  ] as const) {
    expect(parse(more)).toThrow(`  ${setting}: must hold no login, query or fragment`)
    expect(parse(more)).not.toThrow('s3cr3t')
  }
})

test('the address of a service may have a port and a path', () => {
  for (const endpoint of ['local', 'http://127.0.0.1:8080', 'https://proxy.example.org/earth/'])
    expect(
      parseConfig(`${minimal}imagery: { earthEngine: { endpoint: "${endpoint}" } }`, '/r.yaml').imagery.earthEngine
        .endpoint,
    ).toBe(endpoint)
})

test('a similarity that a training file is made by has no more digits than similarities have', () => {
  const parse = (above: string) =>
    parseConfig(`osm: { source: a.pbf }\noutput: ./out\nfilter: { above: [${above}] }\n`, '/data/region.yaml')
  expect(parse('0.25, -0.000001, 1').filter.above).toEqual([0.25, -0.000001, 1])
  for (const wrong of ['0.1234567', '1.0e-7', '1.5']) expect(() => parse(wrong)).toThrow('filter.above[0]')
})

test('the name of a scorer may not end as the files of captions do', () => {
  const text = `${minimal}filter: { scorers: [{ name: my_captions, model: o/m }] }\n`
  expect(() => parseConfig(text, 'region.yaml')).toThrow(/filter\.scorers\[0\]\.name: must not end with "_captions"/)
})

test.each([
  ['balance: [{ by: source }]', 'filter.balance[0].most: set most or share (or both)'],
  ['balance: [{ by: sauce, most: 1 }]', 'filter.balance[0].by: must be one of source, gsd, place, tag, class'],
  [
    'balance: [{ by: source, most: 1.5 }]',
    'filter.balance[0].most: must be a whole number, or one each for some values',
  ],
  ['balance: [{ by: source, share: { S2: 20 } }]', 'filter.balance[0].share.S2: must be at most 1'],
  [
    'balance: [{ by: gsd, share: { 0.5: 0.2 } }]',
    'filter.balance[0].share.0.5: must be one of 0.1, 0.2, 0.6, 1, 10, 30',
  ],
  [
    'balance: [{ by: place, most: { x: 1 } }]',
    'filter.balance[0].most: must be one number for all cells with by: place',
  ],
  [
    'balance: [{ by: tag, degrees: 2, most: 1 }]',
    'filter.balance[0].degrees: has an effect only with by: place; remove it',
  ],
  ['semanticDuplicates: { above: 95 }', 'filter.semanticDuplicates.above: must be at most 1'],
  [
    'semanticDuplicates: { above: 0.9, scorer: mine }',
    'filter.semanticDuplicates.scorer: is no name of filter.scorers',
  ],
  ['blends: [{ name: both, of: [openai] }]', 'filter.blends[0].of: must have at least 2 entries'],
  ['blends: [{ name: both, of: [openai, mine] }]', 'filter.blends[0].of[1]: is no name of filter.scorers'],
  ['blends: [{ name: openai, of: [openai, mine] }]', 'filter.blends[0].name: is the name of a scorer; choose another'],
  ['blends: [{ name: both, of: [openai, openai] }]', 'filter.blends[0].of: names a scorer twice'],
  [
    'blends: [{ name: both, of: [openai, mine], weights: [1] }]',
    'filter.blends[0].weights: must have as many entries as of',
  ],
])('a mixture that makes no sense is refused: %s', (setting, sentence) => {
  expect(() => parseConfig(`${minimal}filter: { ${setting} }\n`, 'region.yaml')).toThrow(sentence)
})

test.each([
  ['own: [{ name: Roof_Shape, classes: a.csv }]', 'benchmarks.own[0].name: is the name of a shipped set'],
  ['own: [{ name: a, classes: a.csv }, { name: A, classes: b.csv }]', 'benchmarks.own: has two sets of one name'],
  ['own: [{ name: a, classes: a.csv, prompts: ["x {c}\\n"] }]', 'benchmarks.own[0].prompts[0]: must be one line'],
])('a benchmark set that could not be told from another, or be listed, is refused: %s', (setting, sentence) => {
  expect(() => parseConfig(`${minimal}benchmarks: { ${setting} }\n`, 'region.yaml')).toThrow(sentence)
})

test('val, test and benchmark sets hold out no more than there is', () => {
  const of = (split: string) =>
    parseConfig(`${minimal}filter: { split: { ${split} } }\n`, 'r.yaml').filter.split.benchmark
  expect(of('benchmark: 96')).toBe(96)
  expect(() => of('benchmark: 97')).toThrow(
    'filter.split.benchmark: must leave the sum of val, test and benchmark at 100',
  )
})

test('a fault is told in plain words: what was expected, what was there, and no text that may be a secret', () => {
  const of = (lines: string) => {
    try {
      parseConfig(`${minimal}${lines}`, 'region.yaml')
    } catch (error) {
      return (error as Error).message.split('\n').slice(1).join('\n')
    }
    return ''
  }
  expect(of('name: 3\n')).toBe('  name: expected a string, got 3')
  expect(of('filter: { val: hunter2 }\n')).toBe('  filter.val: expected a number, got a string')
  expect(of('filter: { top: 30 }\n')).toBe('  filter.top: expected a list, got 30')
  expect(of('tiles: [1]\n')).toBe('  tiles: expected an object, got a list')
  expect(of('tiles: { minPixels: 1.5 }\n')).toBe('  tiles.minPixels: expected a whole number, got 1.5')
  expect(of('tiles: { shift: 2 }\n')).toBe('  tiles.shift: must be at most 0.45')
  expect(of('imagery: { prefer: best }\n')).toBe('  imagery.prefer: must be one of finest, listed')
  expect(of('imagery: { sources: [] }\n')).toBe('  imagery.sources: must not be empty')
  expect(of('filter: { scorers: [{ name: a }] }\n')).toBe('  filter.scorers[0].model: is missing; expected a string')
  expect(of('imagery: { sources: [XX] }\n')).toMatch(/imagery\.sources\[0\]: Unknown source "XX"; use one of CH, /)
  expect(of('imagery: { sources: [{ alias: NIR, id: 5, bands: [1], range: [0, 1], gsd: x }] }\n')).toMatch(
    /sources\[0\]\.gsd: expected a number, got a string/,
  )
})

test('an official service is named by its alias, with a key by its token, and may be described otherwise', () => {
  const of = (sources: string) =>
    parseConfig(`${minimal}imagery: { sources: ${sources} }\n`, '/r.yaml').imagery.sources as readonly unknown[]
  expect(of('[US, FRIGN]')).toMatchObject(['US', { kind: 'xyz', alias: 'FRIGN', zoom: [0, 19], tileSize: 256 }])
  expect(of('[NZLINZ]')).toMatchObject([{ url: expect.stringMatching(/\?api=\$\{SKYSCRIPT_SECRET_NZLINZ\}$/) }])
  const own = `{ kind: xyz, alias: FRIGN, url: "https://h/{z}/{x}/{y}?k={key}", zoom: [0, 9], licence: CC0 }`
  expect(of(`[${own}]`)).toMatchObject([{ url: `https://h/{z}/{x}/{y}?k=\${SKYSCRIPT_SECRET_FRIGN}` }])
  expect(() => of(`[FRIGN, ${own}]`)).toThrow('names a source twice')
  const turns = '{ kind: xyz, alias: TURN, url: "https://{switch:a,b}.h/{z}/{x}/{y}", zoom: [0, 9], licence: CC0 }'
  expect(of(`[${turns}]`)).toMatchObject([{ url: 'https://{switch:a,b}.h/{z}/{x}/{y}' }])
  expect(() => of(`[${turns.replace('https:', 'ftp:')}]`)).toThrow('url: must be an http(s) URL')
})

test('auto stands for the whole list or for an entry of it', () => {
  const of = (sources: string) => parseConfig(`${minimal}imagery: { sources: ${sources} }\n`, '/r.yaml').imagery.sources
  expect(of('auto')).toEqual(['auto'])
  expect(of('[US, auto]')).toEqual(['US', 'auto'])
  expect(() => of('[auto, auto]')).toThrow('names a source twice')
  expect(() => of('automatic')).toThrow('imagery.sources: expected a list, got a string')
})

test('a layer of a catalogue is named with a licence, and has a name of its own or one made of its id', () => {
  const of = (sources: string) =>
    parseConfig(`${minimal}imagery: { catalogue: c.geojson, sources: ${sources} }\n`, '/maps/r.yaml').imagery
  expect(
    of('[{ index: fr.ign.bdortho, licence: etalab-2.0 }, { index: "index:2021", licence: CC0, alias: TOWN }]'),
  ).toMatchObject({
    catalogue: '/maps/c.geojson',
    sources: [
      { kind: 'index', index: 'fr.ign.bdortho', alias: 'FRIGNBDO', licence: 'etalab-2.0' },
      { kind: 'index', index: '2021', alias: 'TOWN' },
    ],
  })
  expect(of('[{ kind: index, index: town, licence: CC0 }]').sources).toMatchObject([{ kind: 'index', alias: 'TOWN' }])
  expect(() => of('[{ kind: xyz, index: town, licence: CC0 }]')).toThrow('sources[0].kind: must be left out')
  for (const without of ['"index:town"', '{ index: town }', '{ index: town, alias: TOWN }'])
    expect(() => of(`[${without}]`)).toThrow(
      /imagery\.sources\[0\]: says no licence; write \{ index: town, licence: \.\.\. \}: .* permission to trace is not permission to copy/,
    )
  expect(() => of('[{ index: town, licence: CC0, colour: red }]')).toThrow('imagery.sources[0].colour: unknown field')
})

test('a contact is an e-mail address or a URL, and nothing that breaks a header', () => {
  const of = (contact: string) =>
    parseConfig(`${minimal}imagery: { contact: ${JSON.stringify(contact)} }\n`, '/r.yaml').imagery.contact
  for (const contact of ['maps@example.org', 'https://example.org/about?who=us', 'http://10.0.0.1/'])
    expect(of(contact)).toBe(contact)
  for (const wrong of ['me', 'me@here', 'a@b.org\r\nX: y', 'https://a b', 'https://a)(b', 'ü@b.org\n'])
    expect(() => of(wrong), wrong).toThrow('imagery.contact: must be an e-mail address or an http(s) URL')
})

test('a number that is none of a few is refused with those that there are', () => {
  const of = (more: string) => parseConfig(`osm: { source: a.pbf }\noutput: ./out\n${more}\n`, 'region.yaml')
  expect(() => of('tiles: { coarsen: 3 }')).toThrow('tiles.coarsen: must be 2, 4 or 8')
  const town = 'kind: xyz, alias: TOWN, url: "https://host/{z}/{x}/{y}", zoom: [0, 20], licence: CC0'
  expect(() => of(`imagery: { sources: [{ ${town}, tileSize: 300 }] }`)).toThrow('tileSize: must be 256 or 512')
})
