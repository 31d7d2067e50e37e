/**
 * Which tags captions name: only what can be seen from above, or also what the classifiers of the original of 2023 let
 * through though no picture shows it.
 */
export const LABELS = ['visible', 'skyscript-2023'] as const

export type Labels = (typeof LABELS)[number]
