import { field, type RequestScan } from './request-scan.js'

/** Fields that make an answer more than plain text from one choice. */
const EXCLUDING = [
  'tools',
  'functions',
  'response_format',
  'logprobs',
  'top_logprobs',
  'stop',
  'echo',
  'min_tokens',
  'audio',
  'modalities',
] as const

/** True for a stream whose text could go on at another node after its own died: design/resilience.md, continuing a begun stream. */
export function isContinuable(scan: RequestScan): boolean {
  if (!scan.stream || (scan.face !== 'openai-chat' && scan.face !== 'openai-completions')) return false
  for (const name of EXCLUDING) if (scan.fields.has(name)) return false
  return !scan.fields.has('n') || field(scan.body, scan.fields, 'n') === 1
}
