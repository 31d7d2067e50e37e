/** Longest key or value in a caption, in characters: CLIP reads 77 tokens, so nothing is lost that a scorer would see. */
const LONGEST = 200

/**
 * Text as a caption may hold it: control and format characters (line breaks, NUL, bidirectional overrides, zero-width
 * characters) and lone surrogates become spaces, runs of spaces one. So a tag can't break a CSV, a terminal or a reader.
 */
export function plainText(text: string): string {
  const plain = text
    .slice(0, LONGEST * 4)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\uFFFD]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return [...plain].slice(0, LONGEST).join('').trimEnd()
}
