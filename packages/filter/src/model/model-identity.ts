/** Which model gave a score: enough to find it again. */
export interface ModelIdentity {
  /** Hub id, `owner/name`; of a folder its own name, so that no path of a machine gets into a dataset. */
  readonly id: string
  /** Commit at the hub, 40 hex digits; null for a folder. */
  readonly revision: string | null
  /** Names below the model's folder, sorted; sha256 in lower-case hex. */
  readonly files: readonly { readonly name: string; readonly sha256: string }[]
}
