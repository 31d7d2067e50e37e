import { boxesIntersect, type Position } from '@skyscript/core'
import { boxRing, collectionOf, type Scene, type SceneSource } from './scene.ts'

/** Half the side of the area that is flown at a site, degrees. */
const HALF = { width: 0.07, height: 0.05 }

/** Field sites, where they are, and the years and numbers of their visits. */
const SITES: Readonly<Record<string, readonly [...Position, visits: readonly string[]]>> = {
  ABBY: [-122.33, 45.76, ['2018_2', '2021_4']],
  BART: [-71.29, 44.06, ['2019_5', '2022_6']],
  BONA: [-147.5, 65.15, ['2019_3', '2021_4']],
  CLBJ: [-97.57, 33.4, ['2017_2', '2019_4', '2023_7']],
  CPER: [-104.75, 40.82, ['2017_3', '2020_7']],
  DELA: [-87.8, 32.54, ['2018_4', '2021_6']],
  GRSM: [-83.5, 35.69, ['2017_3', '2021_5']],
  GUAN: [-66.87, 17.97, ['2018_1', '2022_2']],
  HARV: [-72.17, 42.54, ['2016_3', '2019_6', '2022_7']],
  JORN: [-106.84, 32.59, ['2019_3', '2021_4']],
  KONZ: [-96.56, 39.1, ['2017_3', '2020_5']],
  OSBS: [-81.99, 29.69, ['2018_4', '2021_6']],
  PUUM: [-155.32, 19.55, ['2019_1', '2020_2']],
  SERC: [-76.56, 38.89, ['2017_3', '2021_5']],
  SJER: [-119.73, 37.11, ['2018_3', '2021_5']],
  SRER: [-110.84, 31.91, ['2018_2', '2021_4']],
  TOOL: [-149.37, 68.66, ['2018_2', '2021_4']],
  UNDE: [-89.54, 46.23, ['2020_4', '2022_5']],
  YELL: [-110.54, 44.95, ['2019_2', '2020_3']],
}

const collection = collectionOf('NE')

/** One mosaic of a field site for each visit. */
export const NEON: SceneSource = {
  ...collection,
  type: 'IMAGE_COLLECTION',
  *scenes(box, from, to) {
    for (const [site, [longitude, latitude, visits]] of Object.entries(SITES)) {
      if (!boxesIntersect(areaOf(longitude, latitude), box)) continue
      for (const visit of visits) {
        const scene = sceneOf(site, visit)
        if (scene.time! >= from && scene.time! < to) yield scene
      }
    }
  },
  scene(index) {
    const [, year, site, number] = /^(\d{4})_([A-Z]{4})_(\d)$/.exec(index) ?? []
    if (site === undefined || !Object.hasOwn(SITES, site)) return null
    const visit = `${year}_${number}`
    return SITES[site]![2].includes(visit) ? sceneOf(site, visit) : null
  },
}

const areaOf = (x: number, y: number) =>
  [x - HALF.width, y - HALF.height, x + HALF.width, y + HALF.height] as [number, number, number, number]

function sceneOf(site: string, visit: string): Scene {
  const [year, number] = visit.split('_').map(Number) as [number, number]
  const [longitude, latitude] = SITES[site]!
  const time = Date.UTC(year, 5, 15)
  return {
    source: NEON,
    index: `${year}_${site}_${number}`,
    footprint: boxRing(areaOf(longitude, latitude)),
    time,
    timeEnd: time,
    properties: [
      ['AOP_VISIT_NUMBER', number],
      ['FLIGHT_YEAR', year],
      ['NEON_SITE', site],
    ],
    gsd: collection.gsd,
    bands: collection.bands,
    clouds: 0,
  }
}
