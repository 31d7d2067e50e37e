/**
 * Measures a CLIP as the original does: images and class names -> zero-shot accuracy, images and captions -> recall. It knows no
 * model: embeddings come from its caller. `@skyscript/benchmark/sets` makes the sets.
 *
 * @example
 * import { Classification, classVectors, PROMPTS } from '@skyscript/benchmark'
 * const classes = ['beach', 'forest', 'lake', 'quarry', 'stadium']
 * const counting = new Classification(classes, await classVectors(classes, PROMPTS.SkyScript_cls, encoder))
 * counting.add(imageEmbedding, classes.indexOf('lake'))
 * counting.accuracy().top1 // 1 if the image is most similar to the prompts of `lake`
 */

export { checkEnoughClasses, parseClassList } from './class-list.ts'
export { type Accuracy, Classification, classVectors, type TextEncoder } from './classify.ts'
export { type Detection, detect } from './detect.ts'
export { NEAREST, Nearest } from './nearest.ts'
export { fitProbe, type Probe, type Shot, withOne } from './probe/linear-probe.ts'
export { PROMPTS, type Prompts, parsePrompts } from './prompts.ts'
export {
  type BinaryRow,
  type CaptionedRow,
  type CsvSource,
  type ImageRow,
  type LabelledRow,
  readBinaryRows,
  readCaptionedRows,
  readLabelledRows,
  readPaths,
} from './read-rows.ts'
export { accuracyText, detectionText, retrievalText } from './result-text.ts'
export { type QueryResult, type QueryResults, RANKS, type Retrieval, retrieve, type Vectors } from './retrieve.ts'
export { RowFaults } from './row-faults.ts'
export { percent, textTable } from './text-table.ts'
export { cosine } from './vectors.ts'
