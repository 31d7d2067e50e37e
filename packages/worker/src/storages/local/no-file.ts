/** In place of the size of what is no file, or of no file any more. */
export const NO_FILE = -1
