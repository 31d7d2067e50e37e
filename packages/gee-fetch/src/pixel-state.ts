/**
 * The fourth byte of every pixel between a source and the checks: its state. Masked is 0 because Earth Engine sends 0
 * for masked pixels. Blank ones are of a picture that stands for missing imagery.
 */
export const PIXEL_STATE = { masked: 0, blank: 31, black: 63, cloudy: 127, clear: 255 } as const
