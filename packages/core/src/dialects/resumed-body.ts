import type { TextContinuation } from '../contracts/index.js'
import type { BegunStream } from './begun-stream.js'
import type { RequestScan } from './request-scan.js'
import { field } from './request-scan.js'
import { applied, editsOf, streamOptions, type Edit } from './splice-body.js'

const QUOTE = 0x22
const OUTPUT_LIMITS = ['max_tokens', 'max_completion_tokens'] as const

export interface Resuming {
  /** The model's name at the node that goes on. */
  readonly model: string | undefined
  readonly begun: BegunStream
  readonly how: TextContinuation
  /** The delivered text as far as it is put before the engine. */
  readonly text: string
}

/** The body of the request that asks another node for the rest of an answer: the client's own with the delivered text behind its prompt, and so much less to generate. */
export function resumedBody(scan: RequestScan, { model, begun, how, text }: Resuming): readonly Buffer[] {
  const body = Buffer.from(scan.body.buffer, scan.body.byteOffset, scan.body.byteLength)
  const values = new Map<string, string>(Object.entries(how.set ?? {}))
  if (model !== undefined) values.set('model', JSON.stringify(model))
  if (!scan.includeUsage) values.set('stream_options', JSON.stringify({ ...streamOptions(scan), include_usage: true }))
  for (const name of OUTPUT_LIMITS) {
    const limit = field(scan.body, scan.fields, name)
    if (typeof limit === 'number') values.set(name, String(Math.max(1, limit - begun.tokens)))
  }
  return applied(body, [...editsOf(scan, values), ...textEdit(scan, text)].toSorted((a, b) => a.start - b.start))
}

/** The text behind the last message, as one of the assistant, or behind the prompt. */
function textEdit(scan: RequestScan, text: string): Edit[] {
  const json = JSON.stringify(text)
  const messages = scan.fields.get('messages')
  if (scan.face === 'openai-chat') {
    const end = (messages?.end ?? 1) - 1
    return [{ start: end, end, text: `,{"role":"assistant","content":${json}}` }]
  }
  const end = (scan.fields.get('prompt')?.end ?? 1) - 1
  return [{ start: end, end, text: json.slice(1, -1) }]
}

/** Whether text can be put behind this prompt: a conversation that ends with somebody else's words, or a prompt that is one text. */
export function takesText(scan: RequestScan): boolean {
  const extent = scan.fields.get(scan.face === 'openai-chat' ? 'messages' : 'prompt')
  if (extent === undefined) return false
  if (scan.face !== 'openai-chat') return scan.body[extent.start] === QUOTE
  return lastRole(scan.body.subarray(extent.start, extent.end)) !== 'assistant'
}

/** Undefined: there is no message, or it is none of ours to judge. Parsed only when a stream broke off. */
function lastRole(messages: Uint8Array): unknown {
  const list: unknown = JSON.parse(Buffer.from(messages.buffer, messages.byteOffset, messages.byteLength).toString('utf8'))
  const last: unknown = Array.isArray(list) ? list.at(-1) : undefined
  return typeof last === 'object' && last !== null && 'role' in last ? last.role : 'assistant'
}
