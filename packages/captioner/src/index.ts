/**
 * OSM tags to groundability and captions: which tags can be seen from above and to what ground sampling distance, and
 * the two captions of an image by SkyScript's rules.
 *
 * @example
 * import { createCaptioner } from '@skyscript/captioner'
 * const captioner = createCaptioner()
 * captioner.groundability('power', 'pole') // { groundable: true, maxGsd: 0.2, why: 'table: pole and shadow' }
 * captioner.caption({ power: 'pole' }, [{ power: 'minor_line', cables: '3' }], { allTags: true }).titleMultiObjects
 * // 'a satellite image of power pole, surrounded by power minor line with cables of 3'
 */

export { geometryMeetsBox } from '@skyscript/core'
export {
  type Caption,
  type Captioner,
  type CaptionerOverrides,
  type CaptionOptions,
  createCaptioner,
} from './captioner.ts'
export { type Groundability, GSD_CLASSES, OPEN_ENDED_GSD } from './groundability.ts'
export { type Meta, metaPickle } from './meta-pickle.ts'
export { shareOfBox } from './share-of-box.ts'
