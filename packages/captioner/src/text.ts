/**
 * Text as a caption may hold it: control and format characters (line breaks, NUL, bidirectional overrides, zero-width
 * characters) and lone surrogates become spaces, runs of spaces one. So a tag can't break a CSV, a terminal or a reader.
 */
export function plainText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\uFFFD]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}
