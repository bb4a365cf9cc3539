/** Faults that are only a word. */
const plainFaults = [
  'die',
  'hang-on-load',
  'hang',
  'stall',
  'storm-503',
  'reset',
  'half-response',
  'garbage',
  'empty',
  'repeat',
  'wrong-model',
  'small-context',
] as const

export type Fault =
  | { readonly kind: (typeof plainFaults)[number] }
  | { readonly kind: 'exit-on-load'; readonly code: number }
  | { readonly kind: 'die-after'; readonly afterMs: number }
  | { readonly kind: 'slow' | 'ttft'; readonly factor: number }
  | { readonly kind: 'errors' | 'busy'; readonly ratio: number }
  | { readonly kind: 'poison'; readonly word: string }

/** What a fault may be written as; for the settings' schema. */
export const faultPattern = `^(${plainFaults.join('|')}|exit-on-load(:[0-9]{1,3})?|die-after:[0-9]{1,7}|(slow|ttft):[0-9]+(\\.[0-9]+)?|(errors|busy):[0-9]+(\\.[0-9]+)?%|poison:[A-Za-z0-9_-]{1,64})$`

export const faultForms = `${plainFaults.join(', ')}, exit-on-load, exit-on-load:CODE, die-after:MS, slow:N, ttft:N, errors:N%, busy:N%, poison:WORD`

/**
 * Undefined for anything that is not a fault; `slow:4` is 4 times slower, `ttft:3` only up to the first token, `errors:5%` fails one request in twenty,
 * `poison:WORD` crashes the engine on a body with that word, `die-after:500` kills it half a second after it has loaded.
 */
export function parseFault(text: string): Fault | undefined {
  const plain = plainFaults.find((name) => name === text)
  if (plain !== undefined) return { kind: plain }
  if (!new RegExp(faultPattern, 'u').test(text)) return undefined
  const [kind, value] = text.split(':')
  if (kind === 'poison') return { kind, word: value ?? '' }
  if (kind === 'exit-on-load') return exitOnLoad(Number(value ?? 1))
  const number = Number.parseFloat(value ?? '')
  if (kind === 'die-after') return { kind, afterMs: number }
  if (kind === 'slow' || kind === 'ttft') return number > 0 ? { kind, factor: number } : undefined
  return number <= 100 ? { kind: kind === 'busy' ? 'busy' : 'errors', ratio: number / 100 } : undefined
}

function exitOnLoad(code: number): Fault | undefined {
  return code <= 255 ? { kind: 'exit-on-load', code } : undefined
}

/** Meaningless once the engine has loaded, so it can only be declared. */
export function isLoadFault(fault: Fault): boolean {
  return fault.kind === 'exit-on-load' || fault.kind === 'hang-on-load'
}
