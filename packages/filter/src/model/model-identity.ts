/** Identifies the model that gave a score, so that it can be found again. */
export interface ModelIdentity {
  /** Hub id, `owner/name`; for a folder its name without the path, so that no local path gets into a dataset. */
  readonly id: string
  /** Commit at the hub, 40 hex digits; null for a folder. */
  readonly revision: string | null
  /** Names below the model's folder, sorted; sha256 in lower-case hex. */
  readonly files: readonly { readonly name: string; readonly sha256: string }[]
}
