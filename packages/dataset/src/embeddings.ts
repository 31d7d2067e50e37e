/**
 * `state/embeddings.bin`, for `filter.semanticDuplicates`: the embedding of each image of the manifest, in its order. After 8
 * characters and the length of a vector (32-bit, little-endian), each vector is a signed byte for each number; only its direction
 * counts.
 */
export const EMBEDDINGS_MAGIC = 'SKYEMBQ1'
export const EMBEDDINGS_HEADER = 12
