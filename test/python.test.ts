// @module-tag slow
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lacks, PYTHON } from './support/needs.ts'
import { makeFolder, skyscript, writeRegion } from './support/skyscript.ts'
import { startTown, type Town } from './support/town.ts'

/** Reads a dataset as the original's training code does: csv for the pairs, pickle for the metas. */
const READER = `
import csv, glob, json, os, pickle, sys
root = sys.argv[1]
def kind(value):
    name = type(value).__name__
    return name + '(' + ' '.join(map(kind, value)) + ')' if type(value) is tuple else name
tables = {}
for path in sorted(glob.glob(os.path.join(root, '*.csv'))):
    name = os.path.basename(path)
    if name == 'dropped.csv':
        continue
    with open(path, newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    tables[name] = {'rows': len(rows), 'columns': list(rows[0]) if rows else None}
    for row in rows:
        with open(os.path.join(root, row['filepath']), 'rb') as image:
            assert image.read(3) == b'\\xff\\xd8\\xff', row['filepath']
        assert row['title'].startswith('a satellite image of '), row['title']
        assert -1 <= float(row['similarity_CLIP_openai']) <= 1, row
metas = sorted(glob.glob(os.path.join(root, 'meta*', '*.pickle')))
types = set()
for path in metas:
    with open(path, 'rb') as file:
        meta = pickle.load(file)
    assert type(meta) is dict, path
    types.add(', '.join(key + ': ' + kind(value) for key, value in sorted(meta.items())))
    assert all(type(k) is str and type(v) is str for k, v in meta['center_tags'].items()), path
    assert type(meta['surrounding_tags']) is list and all(type(tags) is dict for tags in meta['surrounding_tags']), path
print(json.dumps({'tables': tables, 'metas': len(metas), 'types': sorted(types)}))
`

const COLUMNS = ['filepath', 'title', 'title_multi_objects', 'similarity_CLIP_openai']

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town

beforeAll(async () => {
  folder = await makeFolder('python')
  town = await startTown(folder.path)
})
afterAll(async () => {
  await town?.earthEngine.close()
  await folder?.remove()
})

test.skipIf(lacks(PYTHON))(
  "Python's csv and pickle load every CSV and every meta, in the original's types",
  async () => {
    const output = join(folder.path, 'out')
    const region = await writeRegion(join(folder.path, 'region.yaml'), town.region(output))
    const { code, stderr } = await skyscript(['build', region])
    expect(code, stderr).toBe(0)
    const read = spawnSync('python3', ['-c', READER, output], { encoding: 'utf8' })
    expect(read.status, read.stderr).toBe(0)
    const { tables, metas, types } = JSON.parse(read.stdout)
    expect(tables['Town_train_unfiltered_5M.csv'].columns).toEqual(COLUMNS)
    expect(tables['Town_train_top30pct_filtered_by_CLIP_openai.csv'].columns).toEqual(COLUMNS)
    expect(tables['Town_train_top30pct_filtered_by_CLIP_openai.csv'].rows).toBeGreaterThan(10)
    expect(metas).toBeGreaterThan(60)
    expect(types).toEqual([
      'box: tuple(float float float float), center_tags: dict, surrounding_tags: list, time: tuple(int int int int int)',
    ])
  },
  120_000,
)
