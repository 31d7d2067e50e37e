/** The benchmarks of the original as its zips unpack (benchmark_dataset_info.py and its two notebooks at b16d2e7). */

/** A column of labels and its class list, or of captions and what is put before them. */
export type OriginalColumn =
  | { readonly column: string; readonly classes: string }
  | { readonly column: string; readonly prefix: string }

export interface OriginalSet {
  /** Also the name of its folder, and of its prompts. */
  readonly name: string
  /** In the folder. Some are named after training, but are what the original measures on. */
  readonly csv: string
  readonly columns: readonly OriginalColumn[]
}

const scenes = (name: string, csv: string): OriginalSet => ({
  name,
  csv,
  columns: [{ column: 'label', classes: 'classnames.txt' }],
})
const fineGrained = (name: string): OriginalSet => ({
  name,
  csv: 'img_txt_pairs_test.csv',
  columns: ['v1', 'v2'].map((version) => ({ column: `label_${version}`, classes: `classnames_${version}.txt` })),
})
const captions = (name: string): OriginalSet => ({
  name,
  csv: `${name}_img_txt_pairs_test.csv`,
  columns: [{ column: 'title', prefix: 'a satellite image. ' }],
})

export const ORIGINAL_SETS: readonly OriginalSet[] = [
  scenes('SkyScript_cls', 'img_txt_pairs_val.csv'),
  scenes('aid', 'aid_img_txt_pairs_test.csv'),
  scenes('eurosat', 'eurosat_img_txt_pairs_test.csv'),
  scenes('fmow', 'fmow_img_txt_pairs_val.csv'),
  scenes('millionaid', 'img_txt_pairs_train.csv'),
  scenes('patternnet', 'img_txt_pairs_train.csv'),
  scenes('nwpu', 'img_txt_pairs_train.csv'),
  scenes('rsicb256', 'img_txt_pairs_train.csv'),
  fineGrained('roof_shape'),
  fineGrained('smoothness'),
  fineGrained('surface'),
  captions('RSICD'),
  captions('RSITMD'),
  captions('ucmcaptions'),
]

/** The sets whose mean top-1 accuracy is the headline figure of the original's README. */
export const HEADLINE_SETS: readonly string[] = [
  'aid',
  'eurosat',
  'fmow',
  'millionaid',
  'patternnet',
  'nwpu',
  'rsicb256',
]
