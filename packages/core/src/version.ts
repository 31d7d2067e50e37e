import manifest from '../package.json' with { type: 'json' }

/** Of the tool; recorded in every dataset's lock file. */
export const TOOL_VERSION: string = manifest.version
