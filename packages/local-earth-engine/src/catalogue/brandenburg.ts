import { fraction2, hashText } from '../draw/hash.ts'
import { boxRing, clipBox, collectionOf, DAY, digits, type Scene, type SceneSource } from './scene.ts'
import { sheetSource } from './sheets.ts'

const collection = collectionOf('DE')
const { start, end } = collection
const SEED = hashText(collection.id)

/** Delivery sheets with the days of their flights; the year counts for nothing. */
const SHEETS = sheetSource('DE', {
  width: 0.1,
  height: 0.05,
  overlap: 0,
  reach: 0,
  origin: [0, 0],
  flights: () => [0],
  describe(column, row) {
    const days = Math.floor((end - start) / DAY)
    return {
      index: `dop20rgbi_${digits(column, 3)}_${digits(row, 4)}`,
      time: start + Math.floor(fraction2(SEED, Math.floor(column / 4), Math.floor(row / 6)) * days) * DAY,
    }
  },
  locate(index) {
    const match = /^dop20rgbi_(\d{3})_(\d{4})$/.exec(index)
    return match && [Number(match[1]), Number(match[2]), 0]
  },
})

const WHOLE: SceneSource = {
  ...collection,
  type: 'IMAGE',
  scenes: (box) => (clipBox(box, collection.extent) ? [whole()] : []),
  scene: (index) => (index === '' ? whole() : null),
}

const whole = (): Scene => ({
  source: WHOLE,
  index: '',
  footprint: boxRing(collection.extent),
  time: null,
  timeEnd: null,
  properties: [],
  gsd: collection.gsd,
  bands: collection.bands,
  clouds: 0,
})

/**
 * Brandenburg as one image of the whole state without a time, as the catalogue's own examples load it, or as the
 * collection of sheets that the catalogue lists.
 */
export const brandenburg = (type: 'image' | 'collection'): SceneSource => (type === 'image' ? WHOLE : SHEETS)
