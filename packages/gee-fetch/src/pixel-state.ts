/**
 * The fourth byte of every pixel on its way from a source to the checks: what is known of it beside its colours. Masked
 * is 0 because Earth Engine sends that for whatever is masked.
 */
export const PIXEL_STATE = { masked: 0, black: 63, cloudy: 127, clear: 255 } as const
