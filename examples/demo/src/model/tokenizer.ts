/**
 * CLIP's tokenizer with a vocabulary of its own: lower case, words and single digits, byte-level BPE whose last piece of
 * a word ends in `</w>`, `<|startoftext|>` in front and `<|endoftext|>` behind. Layout of tokenizer.json as the hub's
 * CLIP models have it.
 */

const END_OF_WORD = '</w>'
const START = '<|startoftext|>'
const END = '<|endoftext|>'

/** CLIP's rule for what is one word. */
const WORD = String.raw`'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`

/** Pairs that occur less often than this aren't worth a token. */
const MIN_COUNT = 2

/**
 * Learns the merges of byte-pair encoding from captions, most frequent pair first, ties by text.
 *
 * @param texts captions; how often a word occurs counts
 * @param maxMerges upper bound of learned tokens
 * @returns the content of tokenizer.json
 */
export function makeTokenizer(texts: Iterable<string>, maxMerges: number): { json: string; size: number } {
  const words = [...countWords(texts)].map(([word, count]) => ({ pieces: toPieces(word), count }))
  const merges: [string, string][] = []
  while (merges.length < maxMerges) {
    const best = mostFrequentPair(words)
    if (!best) break
    merges.push(best)
    for (const word of words) word.pieces = merge(word.pieces, best)
  }
  const bytes = [...byteLetters()].sort((a, b) => a[0] - b[0]).map(([, letter]) => letter)
  // As in CLIP, token 0 is `!`, which OpenCLIP pads with.
  const alphabet = ['!', ...bytes.filter((letter) => letter !== '!')]
  const tokens = [
    ...alphabet,
    ...alphabet.map((letter) => letter + END_OF_WORD),
    ...merges.map(([a, b]) => a + b),
    START,
    END,
  ]
  // Two merges can give the same token by different ways; it needs one id.
  const vocabulary = Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]))
  return { json: toJson(vocabulary, merges), size: Object.keys(vocabulary).length }
}

function* countWordsOf(text: string): Generator<string> {
  for (const [word] of text.toLowerCase().normalize('NFC').matchAll(new RegExp(WORD, 'gu'))) yield word
}

function countWords(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of texts) for (const word of countWordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

/** The printable letter that stands for each byte in byte-level BPE, as GPT-2 chose them. */
function byteLetters(): Map<number, string> {
  const letters = new Map<number, string>()
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255)
  let next = 256
  for (let byte = 0; byte < 256; byte++) letters.set(byte, String.fromCharCode(printable(byte) ? byte : next++))
  return letters
}

const LETTERS = byteLetters()

function toPieces(word: string): string[] {
  const pieces = [...Buffer.from(word, 'utf8')].map((byte) => LETTERS.get(byte)!)
  return pieces.with(-1, pieces.at(-1)! + END_OF_WORD)
}

function mostFrequentPair(words: readonly { pieces: string[]; count: number }[]): [string, string] | null {
  const counts = new Map<string, number>()
  for (const { pieces, count } of words) {
    for (let index = 0; index + 1 < pieces.length; index++) {
      const pair = `${pieces[index]} ${pieces[index + 1]}`
      counts.set(pair, (counts.get(pair) ?? 0) + count)
    }
  }
  let [best, most] = ['', MIN_COUNT - 1]
  for (const [pair, count] of counts) {
    if (count > most || (count === most && pair < best)) [best, most] = [pair, count]
  }
  if (best === '') return null
  const [first, second] = best.split(' ')
  return [first!, second!]
}

function merge(pieces: readonly string[], [first, second]: readonly [string, string]): string[] {
  const merged: string[] = []
  for (let index = 0; index < pieces.length; index++) {
    if (pieces[index] === first && pieces[index + 1] === second) {
      merged.push(first + second)
      index++
    } else merged.push(pieces[index]!)
  }
  return merged
}

function toJson(vocabulary: Record<string, number>, merges: readonly [string, string][]): string {
  const special = (content: string, normalized: boolean) => ({
    id: vocabulary[content],
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized,
    special: true,
  })
  return `${JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [special(START, true), special(END, false)],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORD }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
      ],
    },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [END, vocabulary[END]],
      cls: [START, vocabulary[START]],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: END,
      continuing_subword_prefix: '',
      end_of_word_suffix: END_OF_WORD,
      fuse_unk: false,
      vocab: vocabulary,
      merges: merges.map(([first, second]) => `${first} ${second}`),
    },
  })}\n`
}
