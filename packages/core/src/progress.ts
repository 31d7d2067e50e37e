/** How a long step tells the terminal where it is. The receiver decides how often anything is drawn. */
export interface Progress {
  /** Units done so far, and the total where it is known. */
  update(done: number, total?: number): void
}

export const silentProgress: Progress = { update() {} }
