import type { Handover } from '../contracts/index.js'
import { BodyScanner } from './body-scanner.js'
import { JsonScanError, type Extent } from './top-level.js'
import { field, type RequestScan } from './request-scan.js'

/** Text in the place of some bytes. */
export interface Edit extends Extent {
  readonly text: string
}

/** The body with its edits spliced in, in parts: every other byte stays as the client sent it, and where it is. `model`: the name there; `includeUsage`: ask for the usage event. */
export function spliceBody(scan: RequestScan, model: string | undefined, includeUsage: boolean, handed?: HandedOver): readonly Buffer[] {
  const { body } = scan
  if (scan.delimiter !== undefined) return model === undefined ? [body] : applied(body, [formEdit(scan, scan.delimiter, model)])
  const addsUsage = includeUsage && !scan.includeUsage
  if (model === undefined && !addsUsage && handed === undefined) return [body]
  const values = new Map<string, string>()
  if (model !== undefined) values.set('model', JSON.stringify(model))
  if (addsUsage) values.set('stream_options', JSON.stringify({ ...streamOptions(scan), include_usage: true }))
  if (handed !== undefined) values.set(handed.field, handed.text)
  return applied(body, editsOf(scan, values))
}

/** The body of a request for a plain answer, made one for a stream with usage. Only for JSON. */
export function streamedBody(scan: RequestScan, model: string | undefined): readonly Buffer[] {
  const { body } = scan
  const values = new Map<string, string>([
    ['stream', 'true'],
    ['stream_options', JSON.stringify({ ...streamOptions(scan), include_usage: true })],
  ])
  if (model !== undefined) values.set('model', JSON.stringify(model))
  return applied(body, editsOf(scan, values))
}

/** Where a prompt was computed, in the engine's own bytes. */
export interface HandedOver {
  readonly field: string
  readonly text: string
}

/** The body of a request that only computes the prompt: one token, plainly, and word of where the prompt lies then. Only for JSON. */
export function prefillBody(scan: RequestScan, model: string | undefined, { field: name, ask }: Handover): readonly Buffer[] {
  const { body } = scan
  const values = new Map<string, string>([
    ['max_tokens', '1'],
    [name, ask],
  ])
  if (model !== undefined) values.set('model', JSON.stringify(model))
  for (const [key, text] of ONE_TOKEN) if (scan.fields.has(key)) values.set(key, text)
  return applied(body, editsOf(scan, values))
}

/** The same body for one plain token, that its prompt is computed. Only for JSON. */
export function oneTokenBody(scan: RequestScan, model: string | undefined): readonly Buffer[] {
  const { body } = scan
  const values = new Map<string, string>()
  // Some servers refuse both names of the limit in one request.
  if (scan.fields.has('max_tokens') || !scan.fields.has('max_completion_tokens')) values.set('max_tokens', '1')
  if (model !== undefined) values.set('model', JSON.stringify(model))
  for (const [key, text] of ONE_TOKEN) if (scan.fields.has(key)) values.set(key, text)
  return applied(body, editsOf(scan, values))
}

/** What asks for more than one plain token, where a client set it. Options of a stream are refused without one. */
const ONE_TOKEN: readonly (readonly [key: string, text: string])[] = [
  ['max_completion_tokens', '1'],
  ['stream', 'false'],
  ['stream_options', 'null'],
  ['min_tokens', '0'],
  ['n', '1'],
  ['best_of', '1'],
]

/** What an answer says of where the prompt lies, byte for byte; undefined where it says nothing, or is no JSON object. */
export function handedOverIn(answer: Uint8Array, name: string): HandedOver | undefined {
  try {
    const scanner = new BodyScanner()
    scanner.push(answer)
    const extent = scanner.finish().get(name)
    const text = extent === undefined ? 'null' : Buffer.from(answer.subarray(extent.start, extent.end)).toString('utf8')
    return text === 'null' ? undefined : { field: name, text }
  } catch (error) {
    if (error instanceof JsonScanError) return undefined
    throw error
  }
}

export function streamOptions(scan: RequestScan): object {
  const found = field(scan.body, scan.fields, 'stream_options')
  return typeof found === 'object' && found !== null ? found : {}
}

/** The content of the part `model`; a form without one gets it in front. A line break in it would end the part. */
function formEdit(scan: RequestScan, delimiter: string, model: string): Edit {
  const name = model.replaceAll(/[\r\n]/g, ' ')
  const extent = scan.fields.get('model')
  if (extent !== undefined) return { ...extent, text: name }
  return { start: 0, end: 0, text: `${delimiter}\r\nContent-Disposition: form-data; name="model"\r\n\r\n${name}\r\n` }
}

/** Values, as JSON, that are there are replaced; new keys stand behind the opening brace. */
export function editsOf(scan: RequestScan, values: ReadonlyMap<string, string>): Edit[] {
  const edits: Edit[] = []
  const added: string[] = []
  for (const [key, text] of values) {
    const extent = scan.fields.get(key)
    if (extent === undefined) added.push(`${JSON.stringify(key)}:${text}`)
    else edits.push({ ...extent, text })
  }
  const open = scan.body.indexOf(0x7b) + 1
  if (added.length > 0) edits.push({ start: open, end: open, text: `${added.join(',')}${scan.fields.size === 0 ? '' : ','}` })
  return edits.sort((a, b) => a.start - b.start)
}

/** Small bodies become one piece again: one write is cheaper than their copy. */
const MAX_COPIED_BYTES = 16_384

export function applied(body: Buffer, edits: readonly Edit[]): readonly Buffer[] {
  const parts: Buffer[] = []
  let from = 0
  for (const edit of edits) {
    parts.push(body.subarray(from, edit.start), Buffer.from(edit.text))
    from = edit.end
  }
  parts.push(body.subarray(from))
  return body.byteLength > MAX_COPIED_BYTES ? parts : [Buffer.concat(parts)]
}
