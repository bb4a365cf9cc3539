/** Faults that are only a word. */
const plainFaults = [
  'die',
  'exit-on-load',
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
  | { readonly kind: 'slow'; readonly factor: number }
  | { readonly kind: 'errors' | 'busy'; readonly ratio: number }
  | { readonly kind: 'poison'; readonly word: string }

/** What a fault may be written as; for the settings' schema. */
export const faultPattern = `^(${plainFaults.join('|')}|slow:[0-9]+(\\.[0-9]+)?|(errors|busy):[0-9]+(\\.[0-9]+)?%|poison:[A-Za-z0-9_-]{1,64})$`

export const faultForms = `${plainFaults.join(', ')}, slow:N, errors:N%, busy:N%, poison:WORD`

/** Undefined for anything that is not a fault; `slow:4` is 4 times slower, `errors:5%` fails one request in twenty, `poison:WORD` crashes the engine on a body with that word. */
export function parseFault(text: string): Fault | undefined {
  const plain = plainFaults.find((name) => name === text)
  if (plain !== undefined) return { kind: plain }
  if (!new RegExp(faultPattern, 'u').test(text)) return undefined
  const [kind, value] = text.split(':')
  if (kind === 'poison') return { kind, word: value ?? '' }
  const number = Number.parseFloat(value ?? '')
  if (kind === 'slow') return number > 0 ? { kind, factor: number } : undefined
  return number <= 100 ? { kind: kind === 'busy' ? 'busy' : 'errors', ratio: number / 100 } : undefined
}

/** Meaningless once the engine has loaded, so it can only be declared. */
export function isLoadFault(fault: Fault): boolean {
  return fault.kind === 'exit-on-load' || fault.kind === 'hang-on-load'
}
