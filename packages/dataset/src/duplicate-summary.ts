/** How much of a dataset is there more than once. */
export interface DuplicateSummary {
  /** Images whose files are equal to another's, and how many different files these are. */
  readonly exact: { readonly images: number; readonly groups: number }
  /** Images that look like another: hashes within 4 of 64 bits, and what is so near to one of them. */
  readonly near: { readonly images: number; readonly groups: number; readonly largest: number }
  /** Pairs whose title another pair has, different titles, pairs with the most frequent one. */
  readonly captions: { readonly pairs: number; readonly distinct: number; readonly most: number }
}
