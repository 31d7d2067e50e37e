/** How a long step reports its progress. The receiver decides how often to redraw. */
export interface Progress {
  /** Units done so far, and the total where it is known. */
  update(done: number, total?: number): void
}

export const silentProgress: Progress = { update() {} }

/** One running stage. */
export interface StageProgress extends Progress {
  /** Ends the stage with a line that stays, without one for null; the second and later calls do nothing. */
  end(summary?: string | null): void
}

/**
 * Progress and messages on one stream. On a terminal every running stage has a line with a bar, and messages scroll
 * above them; elsewhere all are plain lines. Control characters never reach the stream, whatever the text says.
 */
export interface Terminal {
  /**
   * @param name what is being done, `fetch`
   * @param unit what is counted, in the plural, `images`; `bytes` are shown as kB, MB ...
   */
  stage(name: string, unit: string): StageProgress
  note(text: string): void
  warn(text: string): void
}
