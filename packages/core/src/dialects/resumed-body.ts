import type { ExactContinuation, TextContinuation } from '../contracts/index.js'
import { field, type RequestScan } from './request-scan.js'
import { applied, editsOf, streamOptions, type Edit } from './splice-body.js'

const QUOTE = 0x22
const OUTPUT_LIMITS = ['max_tokens', 'max_completion_tokens'] as const

export interface Resuming {
  /** The model's name at the node that goes on. */
  readonly model: string | undefined
  /** Tokens that the client has. */
  readonly tokens: number
}

/** The body of the request that asks another node for the rest of an answer: the client's own with the delivered text behind its prompt, and so much less to generate. */
export function textBody(
  scan: RequestScan,
  { model, tokens, how, text }: Resuming & { readonly how: TextContinuation; readonly text: string },
): readonly Buffer[] {
  const values = commonValues(scan, model)
  for (const [name, value] of Object.entries(how.set ?? {})) values.set(name, value)
  for (const name of OUTPUT_LIMITS) {
    const limit = field(scan.body, scan.fields, name)
    if (typeof limit === 'number') values.set(name, String(Math.max(1, limit - tokens)))
  }
  const body = Buffer.from(scan.body.buffer, scan.body.byteOffset, scan.body.byteLength)
  return applied(
    body,
    [...editsOf(scan, values), ...textEdit(scan, text)].toSorted((a, b) => a.start - b.start),
  )
}

export interface ByIds extends Resuming {
  readonly how: ExactContinuation
  /** The prompt with the delivered tokens behind it. */
  readonly prompt: readonly (string | number)[]
  /** Tokens that may come where the client has set no limit; undefined: the engine's own. */
  readonly room: number | undefined
}

/** Fields of a conversation that a completion of ids has no use for. */
const NOT_OF_COMPLETIONS: ReadonlySet<string> = new Set(['messages', 'prompt', ...OUTPUT_LIMITS])

/** The same as a completion of ids, for either face; every other field of the client's stays. */
export function idsBody(scan: RequestScan, { model, tokens, how, prompt, room }: ByIds): readonly Buffer[] {
  const values = commonValues(scan, model)
  for (const [name, value] of Object.entries(how.ask)) values.set(name, value)
  values.set('prompt', JSON.stringify(prompt))
  const limit = scan.maxTokens === undefined ? room : scan.maxTokens - tokens
  if (limit !== undefined) values.set('max_tokens', String(Math.max(1, limit)))
  const kept = [...scan.fields].filter(([name]) => !NOT_OF_COMPLETIONS.has(name) && !values.has(name))
  const body = Buffer.from(scan.body.buffer, scan.body.byteOffset, scan.body.byteLength)
  const members = [
    ...kept.map(([name, { start, end }]) => `${JSON.stringify(name)}:${body.toString('utf8', start, end)}`),
    ...[...values].map(([name, value]) => `${JSON.stringify(name)}:${value}`),
  ]
  return [Buffer.from(`{${members.join(',')}}`)]
}

/** The client's body, asking for the ids of tokens too. */
export function askingForIds(scan: RequestScan, model: string | undefined, { ask }: ExactContinuation): readonly Buffer[] {
  const values = commonValues(scan, model)
  for (const [name, value] of Object.entries(ask)) values.set(name, value)
  const body = Buffer.from(scan.body.buffer, scan.body.byteOffset, scan.body.byteLength)
  return applied(body, editsOf(scan, values))
}

function commonValues(scan: RequestScan, model: string | undefined): Map<string, string> {
  const values = new Map<string, string>()
  if (model !== undefined) values.set('model', JSON.stringify(model))
  if (!scan.includeUsage) values.set('stream_options', JSON.stringify({ ...streamOptions(scan), include_usage: true }))
  return values
}

/** The text behind the last message, as one of the assistant, or behind the prompt. */
function textEdit(scan: RequestScan, text: string): Edit[] {
  const json = JSON.stringify(text)
  if (scan.face === 'openai-chat') {
    const end = (scan.fields.get('messages')?.end ?? 1) - 1
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
  const list = valueOf(scan, 'messages')
  const last: unknown = Array.isArray(list) ? list.at(-1) : undefined
  return typeof last === 'object' && last !== null && 'role' in last && last.role !== 'assistant'
}

/** The prompt of a completion as a list that more ids can be put behind; undefined for several prompts, and for a conversation. */
export function promptOf(scan: RequestScan): readonly (string | number)[] | undefined {
  const prompt = scan.face === 'openai-chat' ? undefined : valueOf(scan, 'prompt')
  if (typeof prompt === 'string') return [prompt]
  return Array.isArray(prompt) && prompt.every((id) => typeof id === 'number') ? prompt : undefined
}

/** However large it is: parsed only when a stream broke off. */
function valueOf({ fields, body }: RequestScan, name: string): unknown {
  const extent = fields.get(name)
  if (extent === undefined) return undefined
  return JSON.parse(Buffer.from(body.buffer, body.byteOffset + extent.start, extent.end - extent.start).toString('utf8'))
}
