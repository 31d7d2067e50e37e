/**
 * The names of a dataset's benchmark sets and their files: folders below the dataset that the original's evaluation code reads
 * with the dataset as root, since paths of images are relative to it.
 */
import { BENCHMARK_SETS } from '@skyscript/core'

/** Folder of the sets that users describe themselves. */
const OWN_SETS = 'benchmarks'

export const SET_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/

/** Folder of a set that a user describes, relative to the dataset. */
export const ownSetFolder = (name: string): string => `${OWN_SETS}/${name}`

/** Name of the CSV in a set's folder, as the original calls it. */
export const setCsv = (folder: string): string =>
  folder === 'SkyScript_cls' ? 'img_txt_pairs_val.csv' : 'img_txt_pairs_test.csv'

/** What is known of a set: see `parseBenchmarkText`. */
export const BENCHMARK_RECORD = 'benchmark.json'
/** Prompts of a set that the original doesn't know, one a line, with `{c}` for the class. */
export const PROMPTS_FILE = 'prompts.txt'

/** Name of the class list of a column of labels: `label` -> `classnames.txt`, `label_v1` -> `classnames_v1.txt`. */
export const classListOf = (column: string): string => `${column.replace(/^label/, 'classnames')}.txt`

const SET_FILE = /^(img_txt_pairs_(val|test)\.csv|classnames(_v[12])?\.txt|benchmark\.json|prompts\.txt)$/

/** Folder of the set that a file belongs to, from its path relative to the dataset; null for any other file. */
export function setFolderOf(path: string): string | null {
  const at = path.lastIndexOf('/')
  const [folder, file] = [path.slice(0, Math.max(0, at)), path.slice(at + 1)]
  if (!SET_FILE.test(file)) return null
  if ((BENCHMARK_SETS as readonly string[]).includes(folder)) return folder
  const name = folder.startsWith(`${OWN_SETS}/`) ? folder.slice(OWN_SETS.length + 1) : ''
  return SET_NAME.test(name) ? folder : null
}

/** Folders in which sets may be, to be listed for files of former settings. */
export const SET_FOLDERS: readonly string[] = [...BENCHMARK_SETS, OWN_SETS]

/** The records among the files of a dataset, by folder. */
export const recordPaths = (files: Readonly<Record<string, string>>): { folder: string; path: string }[] =>
  Object.keys(files)
    .sort()
    .flatMap((path) => {
      const folder = setFolderOf(path)
      return folder !== null && path === `${folder}/${BENCHMARK_RECORD}` ? [{ folder, path }] : []
    })
