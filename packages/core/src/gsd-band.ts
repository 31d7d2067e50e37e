/** Resolutions in m/pixel, finest first: those at which tags can be seen, and that of Landsat. */
export const GSD_BANDS = [0.1, 0.2, 0.6, 1, 10, 30] as const

/** Images of tile services, and of files in degrees, are not of exactly their source's resolution. */
const TOLERANCE = 1.01

/** The finest of GSD_BANDS that is not finer than an image of this GSD (m/pixel); coarser images are of the last. */
export const gsdBand = (gsd: number): number => GSD_BANDS.find((each) => gsd <= each * TOLERANCE) ?? GSD_BANDS.at(-1)!
