import type { Extent } from './top-level.js'
import { field, type RequestScan } from './request-scan.js'

interface Edit extends Extent {
  readonly text: string
}

/** The body with its edits spliced in, in parts: every other byte stays as the client sent it, and where it is. `model`: the name there; `includeUsage`: ask for the usage event. */
export function spliceBody(scan: RequestScan, model: string | undefined, includeUsage: boolean): readonly Buffer[] {
  const body = Buffer.from(scan.body.buffer, scan.body.byteOffset, scan.body.byteLength)
  if (scan.delimiter !== undefined) return model === undefined ? [body] : applied(body, [formEdit(scan, scan.delimiter, model)])
  const addsUsage = includeUsage && !scan.includeUsage
  if (model === undefined && !addsUsage) return [body]
  const values = new Map<string, unknown>()
  if (model !== undefined) values.set('model', model)
  if (addsUsage) values.set('stream_options', { ...streamOptions(scan), include_usage: true })
  return applied(body, editsOf(scan, values))
}

/** The body of a request for a plain answer, made one for a stream with usage. Only for JSON. */
export function streamedBody(scan: RequestScan, model: string | undefined): readonly Buffer[] {
  const body = Buffer.from(scan.body.buffer, scan.body.byteOffset, scan.body.byteLength)
  const values = new Map<string, unknown>([
    ['stream', true],
    ['stream_options', { ...streamOptions(scan), include_usage: true }],
  ])
  if (model !== undefined) values.set('model', model)
  return applied(body, editsOf(scan, values))
}

function streamOptions(scan: RequestScan): object {
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

/** Values that are there are replaced; new keys stand behind the opening brace. */
function editsOf(scan: RequestScan, values: ReadonlyMap<string, unknown>): Edit[] {
  const edits: Edit[] = []
  const added: string[] = []
  for (const [key, value] of values) {
    const extent = scan.fields.get(key)
    if (extent === undefined) added.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`)
    else edits.push({ ...extent, text: JSON.stringify(value) })
  }
  const open = scan.body.indexOf(0x7b) + 1
  if (added.length > 0) edits.push({ start: open, end: open, text: `${added.join(',')}${scan.fields.size === 0 ? '' : ','}` })
  return edits.sort((a, b) => a.start - b.start)
}

/** Small bodies become one piece again: one write is cheaper than their copy. */
const MAX_COPIED_BYTES = 16_384

function applied(body: Buffer, edits: readonly Edit[]): readonly Buffer[] {
  const parts: Buffer[] = []
  let from = 0
  for (const edit of edits) {
    parts.push(body.subarray(from, edit.start), Buffer.from(edit.text))
    from = edit.end
  }
  parts.push(body.subarray(from))
  return body.byteLength > MAX_COPIED_BYTES ? parts : [Buffer.concat(parts)]
}
