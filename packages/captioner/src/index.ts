/**
 * OSM tags to groundability and captions: which tags can be seen from above and to what ground sampling distance, and
 * the two captions of an image by SkyScript's rules.
 *
 * @example
 * import { createCaptioner } from '@skyscript/captioner'
 * const captioner = createCaptioner()
 * captioner.groundability('power', 'pole') // { groundable: true, maxGsd: 0.2, why: 'label: shadow' }
 * captioner.caption({ power: 'pole' }, [{ power: 'minor_line', cables: '3' }], { allTags: true }).titleMultiObjects
 * // 'a satellite image of power pole, surrounded by power minor line with cables of 3'
 */

export { geometryMeetsBox } from '@skyscript/core'
export { type Captioner, type CaptionerOptions, type CaptionOptions, createCaptioner } from './captioner.ts'
export { judgeEmbedding, parseTagClassifier, serializeTagClassifier } from './classifier/tag-classifier.ts'
export { trainTagClassifier } from './classifier/train-tag-classifier.ts'
export { trainingReportText } from './classifier/training-report.ts'
export { type Groundability, OPEN_ENDED_GSD, type TagVerdicts } from './groundability.ts'
export { type Meta, metaPickle } from './meta-pickle.ts'
export { shareOfBox } from './share-of-box.ts'
export { parseStyle, STYLES, type Style, shippedStyle } from './styles/style.ts'
export type { Caption } from './styles/writer.ts'
export { neverReasons, shippedLabels } from './tables.ts'
export { GSD_CLASSES, parseTagTable, type TagRow } from './tag-table.ts'
export { tagText } from './tag-text.ts'
export type { TokenLimit } from './token-limit.ts'
