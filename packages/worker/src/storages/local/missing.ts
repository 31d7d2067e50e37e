/** Whether an error of the file system says that there is no such file. */
export function isMissing(error: unknown): boolean {
  // EISDIR: a folder is at that place, and a folder holds keys but is none.
  return ['ENOENT', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}
