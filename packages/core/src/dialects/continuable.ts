import type { BegunStream } from './begun-stream.js'
import { field, type RequestScan } from './request-scan.js'
import { takesText } from './resumed-body.js'

/** Fields that make an answer more than plain text from one choice, or depend on where it began. */
const EXCLUDING = [
  'tools',
  'functions',
  'response_format',
  'logprobs',
  'top_logprobs',
  'prompt_logprobs',
  'echo',
  'suffix',
  'min_tokens',
  'audio',
  'modalities',
  'prediction',
  'grammar',
  'json_schema',
  'structured_outputs',
  'guided_json',
  'guided_regex',
  'guided_choice',
  'guided_grammar',
  'return_token_ids',
  'return_tokens',
  'continue_final_message',
  'add_generation_prompt',
] as const
/** Of these, more than one is too many. */
const COUNTS = ['n', 'best_of'] as const

/** True for a stream whose text could go on at another node after its own died: design/resilience.md, continuing a begun stream. */
export function isContinuable(scan: RequestScan): boolean {
  if (!scan.stream || (scan.face !== 'openai-chat' && scan.face !== 'openai-completions')) return false
  for (const name of EXCLUDING) if (isSet(scan, name)) return false
  return COUNTS.every((name) => !isSet(scan, name) || field(scan.body, scan.fields, name) === 1)
}

/** Null and false say that something is not wanted, as much as a field that is missing. */
function isSet(scan: RequestScan, name: string): boolean {
  if (!scan.fields.has(name)) return false
  const value = field(scan.body, scan.fields, name)
  return value !== null && value !== false
}

/** Why a stream that broke off cannot go on elsewhere; for people. Undefined: it can. */
export function whyNot(scan: RequestScan, begun: BegunStream): string | undefined {
  const text = begun.ledger.text()
  if (text === undefined) return 'more was delivered than is kept'
  if (text.trimStart().startsWith(THINKING)) return 'its text holds reasoning'
  if (stopsOf(scan).some((stop) => endsInside(text, stop))) return 'a stop sequence may lie across the seam'
  return takesText(scan) ? undefined : 'its prompt is no conversation or text that an answer can be put behind'
}

const THINKING = '<think>'

/** Stop sequences that the client set. */
export function stopsOf(scan: RequestScan): readonly string[] {
  const value = field(scan.body, scan.fields, 'stop')
  return (Array.isArray(value) ? value : [value]).filter((stop): stop is string => typeof stop === 'string')
}

/** Whether the text ends with a beginning of the sequence. */
function endsInside(text: string, stop: string): boolean {
  for (let length = stop.length - 1; length > 0; length -= 1) if (text.endsWith(stop.slice(0, length))) return true
  return false
}
