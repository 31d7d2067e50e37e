/**
 * Rough outlines of countries, drawn by hand some 10 km outside their borders: they keep a source out of its neighbours,
 * not out of its own country.
 */
import type { Box, Position } from '../records.ts'
import { boxes, type Outline } from './entry.ts'

const polygons = (rings: readonly (readonly Position[])[], ...more: readonly Box[]): Outline => ({
  type: 'MultiPolygon',
  coordinates: [...rings.map((ring) => [[...ring, ring[0]!]]), ...boxes(...more).coordinates],
})

/** Without Portugal, whose border it follows from north to south; with Andorra, the Balearic Islands, Ceuta and Melilla. */
const IBERIA: readonly Position[] = [
  [-9.4, 43.9],
  [-9.4, 41.75],
  [-8.95, 41.75],
  [-8.2, 41.7],
  [-6.4, 41.65],
  [-6.4, 41.45],
  [-7.05, 41],
  [-6.95, 40.35],
  [-7.1, 39.75],
  [-7.65, 39.75],
  [-7.65, 39.5],
  [-7.15, 39.1],
  [-7.15, 38.95],
  [-7.4, 38.7],
  [-7.4, 38.35],
  [-7.1, 38.3],
  [-7.2, 38],
  [-7.65, 37.6],
  [-7.5, 37.1],
  [-7.5, 35.1],
  [4.75, 35.1],
  [4.75, 41],
  [3.5, 42.55],
  [2.6, 42.5],
  [1.9, 42.6],
  [1.5, 42.8],
  [0.7, 43],
  [-0.3, 43],
  [-1.4, 43.3],
  [-1.8, 43.6],
  [-1.8, 43.9],
]

/** The mainland, Andorra and the Balearic Islands. */
export const SPAIN_MAINLAND: Outline = polygons([IBERIA])

/** With the Canary Islands. */
export const SPAIN: Outline = polygons([IBERIA], [-18.3, 27.5, -13.2, 29.5])

/** The mainland. */
export const PORTUGAL: Outline = polygons([
  [
    [-9.9, 36.7],
    [-7.3, 36.7],
    [-7.25, 37.2],
    [-7.4, 37.5],
    [-6.85, 38.05],
    [-6.85, 38.25],
    [-7.15, 38.45],
    [-7.1, 38.75],
    [-6.85, 38.95],
    [-6.95, 39.15],
    [-7.2, 39.5],
    [-6.8, 39.65],
    [-6.85, 40],
    [-6.65, 40.3],
    [-6.7, 41],
    [-6.05, 41.45],
    [-6.05, 41.7],
    [-6.45, 42.05],
    [-8, 42.05],
    [-8.05, 42.25],
    [-8.4, 42.2],
    [-8.95, 41.95],
    [-9.9, 41.9],
  ],
])

/** The mainland and Corsica. */
const METROPOLE: readonly Position[] = [
  [-5.5, 47.9],
  [-5.5, 48.9],
  [-2, 49.95],
  [0, 49.9],
  [1.4, 50.3],
  [1.4, 51.05],
  [2.6, 51.25],
  [3.4, 50.85],
  [4.3, 50.3],
  [5, 50.3],
  [6, 49.65],
  [6.6, 49.4],
  [8.4, 49.15],
  [7.85, 47.4],
  [7.05, 47.2],
  [6.4, 46.55],
  [7, 46.55],
  [7.2, 45.9],
  [7.3, 45.1],
  [7.1, 44.7],
  [7.9, 44.2],
  [7.8, 43.6],
  [9, 43.2],
  [9.8, 43.2],
  [9.8, 41.2],
  [8.3, 41.2],
  [8.3, 42.6],
  [7, 42.8],
  [4, 42.2],
  [1.3, 42.2],
  [-0.3, 42.5],
  [-1.9, 42.8],
  [-2, 43.6],
  [-1.6, 45.2],
  [-2.7, 46.8],
  [-3.3, 47.1],
]

/** With Guadeloupe, Martinique, French Guiana, Réunion, Mayotte, Saint Pierre, Saint Martin and Saint Barthélemy. */
export const FRANCE: Outline = polygons(
  [METROPOLE],
  [-62, 15.7, -60.9, 16.6],
  [-61.3, 14.3, -60.7, 15],
  [-54.7, 2, -51.5, 5.9],
  [55.1, -21.5, 55.95, -20.8],
  [44.9, -13.1, 45.4, -12.5],
  [-56.5, 46.7, -56, 47.2],
  [-63.2, 17.8, -62.7, 18.2],
)
