import { Tokenizer } from '@huggingface/tokenizers'
import { InputError } from '@skyscript/core'

/** Tokens that a CLIP text model reads (Radford et al. 2021, section 2.4); a model with another length declares it. */
export const CONTEXT_LENGTH = 77
/** OpenCLIP pads with 0, the hub's configuration with the end token; the models ignore both. */
const PADDING = 0

/** Caption -> token ids. */
export interface ClipTokenizer {
  /** Writes the ids of `text` into `out`, truncated before a final end token, padded with 0. Returns the count without padding. */
  encode(text: string, out: BigInt64Array): number
  /** Number of tokens of `text`, start and end included, even beyond the model's limit. */
  count(text: string): number
}

/**
 * @param json the text of a hub folder's `tokenizer.json`
 * @param file its path, for messages
 * @throws InputError `bad-model` if the file is not a tokenizer
 */
export function createTokenizer(json: string, file: string): ClipTokenizer {
  let tokenizer: Tokenizer
  try {
    tokenizer = new Tokenizer(JSON.parse(json), {})
    if (tokenizer.encode('a').ids.length < 2) throw new Error('it adds no end token')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new InputError('bad-model', `${file} is not a usable tokenizer (${why}); use the model's own file.`)
  }
  return {
    encode(text, out) {
      const { ids } = tokenizer.encode(cleaned(text))
      const used = Math.min(ids.length, out.length)
      for (let i = 0; i < used; i++) out[i] = BigInt(ids[i]!)
      if (ids.length > out.length) out[out.length - 1] = BigInt(ids.at(-1)!)
      out.fill(BigInt(PADDING), used)
      return used
    },
    count: (text) => tokenizer.encode(cleaned(text)).ids.length,
  }
}

const CURLY_SINGLE = /[\u02bc\u2018-\u201b]/g
const CURLY_DOUBLE = /[\u201c-\u201f]/g
/** Latin ligatures, full-width letters and half-width Katakana. */
const COMPATIBILITY = /[\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\u3000\ufb00-\ufb06\uff01-\uffef]/g
/** Except tab, line feed, form feed and carriage return, which become spaces. */
const CONTROLS = /(?![\t\n\f\r])[\p{Cc}\ufeff\u206a-\u206f\ufff9-\ufffc]/gu
const ENTITY = /&(?:(amp|lt|gt|quot|apos|nbsp)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));/g
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' }

/**
 * Cleans a text like OpenCLIP before tokenising: ftfy's `fix_text`, then `html.unescape` twice. Implemented: straight
 * quotes, plain letters for ligatures and full-width forms, no control characters, numeric and XML entities. Not
 * implemented: ftfy's repair of wrongly decoded text, and HTML's rarer entity names.
 */
function cleaned(text: string): string {
  const plain = text
    .toWellFormed()
    .replace(COMPATIBILITY, (character) => character.normalize('NFKC'))
    .replace(CURLY_SINGLE, "'")
    .replace(CURLY_DOUBLE, '"')
    .replace(CONTROLS, '')
  return unescapeEntities(unescapeEntities(plain))
}

function unescapeEntities(text: string): string {
  return text.replace(ENTITY, (whole, name?: string, decimal?: string, hex?: string) => {
    if (name !== undefined) return ENTITIES[name]!
    const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal)
    const isText = code >= 0x20 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
    return isText ? String.fromCodePoint(code) : whole
  })
}
