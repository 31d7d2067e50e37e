/** Files and models that settings and options name. */
export { modelOptions } from './models.ts'
export { fillIn, withSecrets } from './private-addresses.ts'
export { readStyles } from './styles.ts'
export { readTagTable, readTextFile } from './text-file.ts'
