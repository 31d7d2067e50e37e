import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toFeatureLine } from '@skyscript/core'
import { expect, test } from 'vitest'
import { loadFeatures } from '../src/draw/feature-store.ts'

test('features whose tags hold line separators other than the line feed are read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'features-'))
  const path = join(folder, 'features.geojsonl')
  const hut = (id: string, note: string) =>
    toFeatureLine({
      id,
      geometry: { type: 'Point', coordinates: [7, 46] },
      tags: { tourism: 'alpine_hut', building: 'yes', note },
      version: 1,
      timestamp: null,
    })
  await writeFile(path, `\u001e${hut('n1', 'a\u2028b')}\n\u001e${hut('n2', 'c\u2029d\u0085e')}\r\n${hut('n3', '')}`)
  expect((await loadFeatures([path])).count).toBe(3)
  await rm(folder, { recursive: true })
})
