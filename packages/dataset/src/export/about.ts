/** The texts that the card and croissant.json share. */
import { formatCount, printableLine } from '@skyscript/core'
import type { DatasetLock } from '../lock.ts'
import type { Spread, Statistics } from './statistics.ts'

export const ODBL = 'https://opendatacommons.org/licenses/odbl/1-0/'
export const PAPER = 'https://arxiv.org/abs/2312.12856'

export const CITATION = `@inproceedings{wang2024skyscript,
  title = {SkyScript: A Large and Semantically Diverse Vision-Language Dataset for Remote Sensing},
  author = {Wang, Zhecheng and Prabha, Rajanie and Huang, Tianyuan and Wu, Jiajun and Rajagopal, Ram},
  booktitle = {Proceedings of the AAAI Conference on Artificial Intelligence},
  year = {2024},
  note = {arXiv:2312.12856}
}`

/** `0.1 m`, or `0.1 to 30 m`. */
export function gsdText(gsds: readonly number[]): string {
  const [least, most] = [Math.min(...gsds), Math.max(...gsds)]
  return least === most ? `${least} m` : `${least} to ${most} m`
}

export const allGsds = ({ sources }: Pick<Statistics, 'sources'>): number[] => sources.flatMap(({ gsds }) => gsds)

export function description(
  { config }: DatasetLock,
  { pairs, sources, dates }: Pick<Statistics, 'pairs' | 'sources' | 'dates'>,
): string {
  const from = sources.map(({ source }) => source).join(', ')
  const span = dates === null ? '' : `, taken from ${dates[0]} to ${dates[1]}`
  const at = pairs === 0 ? '' : `, at ${gsdText(allGsds({ sources }))} a pixel${span}`
  return `${printableLine(config.name)}: ${formatCount(pairs)} pairs of a remote sensing image and a caption, made as SkyScript is. Each image (of ${from}${at}) shows one OpenStreetMap object, and its captions are written by rule from the tags of that object and of those around it.`
}

export function collection({ tool, inputs, config }: DatasetLock): string {
  const files = inputs.map(({ name }) => printableLine(name)).join(', ')
  const drawn =
    config.imagery.earthEngine.endpoint === 'local'
      ? ' Images of Earth Engine’s collections are drawn from the map, to try the pipeline out: they show no real ground.'
      : ''
  return `Made by ${tool.name} ${tool.version} from ${files}: OpenStreetMap objects with a tag that can be seen from above, and for each the best suitable image of the sources, whose ground sampling distance is fine enough for the tag. Captions are made from tags by fixed rules, without a language model.${drawn}`
}

export function filtering({ config }: DatasetLock): string {
  const { scorers, split } = config.filter
  const by = scorers.map(({ name, model }) => `${name} (${printableLine(model)})`).join(', ')
  const splits =
    split.by === 'block'
      ? `${split.degrees === 'auto' ? 'Compact pieces of ground are' : `Blocks of ${split.degrees} degrees are`} held out for val and test, so that no two splits show the same ground; images that overlap the ground of two splits are in no set (held-out).`
      : 'Splits are drawn image by image, as in the original: images of two splits may show the same ground.'
  return `Cosine similarity of image and title by ${by} ranks all pairs; the sets named top and above are the best of them, and val and test come out of the best. ${splits}`
}

export const LIMITATIONS = [
  'Captions name what the map says is there. Where the map is older or newer than the image, or wrong, so is the caption: the manifest has the days between image and last edit.',
  'What nobody mapped is not mentioned: a caption is no full account of an image, and two images of a batch may fit each other’s captions.',
  'Captions are phrases out of tags, not sentences as people write them; many pairs share the same one.',
] as const

export const BIASES = [
  'OpenStreetMap is denser where more people map: cities and richer countries have more objects and more tags.',
  'Sources of fine resolution cover few countries; elsewhere only large objects have an image.',
] as const

export const USES = [
  'Training and evaluation of vision-language models for remote sensing: contrastive pretraining, retrieval, zero-shot classification.',
] as const

export const PRIVACY =
  'Images are aerial and satellite images in which people can’t be told apart; tags that name people or addresses are not used.'

/** With the digits that are significant for a similarity or a share. */
export const rounded = (value: number, digits = 3): string => (Number.isFinite(value) ? value.toFixed(digits) : '-')

export const spreadText = ({ mean, p5, median, p95 }: Spread, digits: number): string[] =>
  [mean, p5, median, p95].map((value, i) => rounded(value, i === 0 ? Math.max(1, digits) : digits))
