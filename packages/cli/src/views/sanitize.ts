/**
 * Foreign text (node names, reasons, events, answers of engines) made safe to print: whatever could move the cursor, set a title or a
 * clipboard, or turn the reading direction becomes a visible escape. Every view passes foreign text through here exactly once.
 */

// C0 and C1 controls with DEL; soft hyphen and zero-width marks; bidi marks, embeddings and isolates; line and paragraph separators; BOM; tags; lone surrogates.
const UNSAFE =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]/gu

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' }

export interface SanitizeOptions {
  /** Leave `\n` and `\t` as they are: for text that may span lines, as an answer does. */
  readonly keepNewlines?: boolean
}

/** One line of safe text; `\x07` and the like stand where the bytes were. Idempotent. */
export function sanitize(text: string, { keepNewlines = false }: SanitizeOptions = {}): string {
  return text.replace(UNSAFE, (char) => (keepNewlines && (char === '\n' || char === '\t') ? char : visible(char)))
}

function visible(char: string): string {
  const short = SHORT[char]
  if (short !== undefined) return short
  const code = char.codePointAt(0) ?? 0
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`
}
