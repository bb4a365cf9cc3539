import type { Extent } from './json-scan.js'
import { field, type RequestScan } from './request-scan.js'

interface Edit extends Extent {
  readonly text: string
}

/** What must differ in the body that an engine gets. */
export interface BodyEdits {
  readonly model?: string
  /** Ask the engine for the usage event. */
  readonly includeUsage?: boolean
}

/** The body with its edits spliced in; every other byte stays as the client sent it. The same bytes when nothing differs. */
export function spliceBody(scan: RequestScan, edits: BodyEdits): Uint8Array {
  const list: Edit[] = []
  if (edits.model !== undefined) list.push(set(scan, 'model', edits.model))
  if (edits.includeUsage === true && !scan.includeUsage)
    list.push(set(scan, 'stream_options', { ...streamOptions(scan), include_usage: true }))
  return list.length === 0 ? scan.body : applied(scan.body, list)
}

function streamOptions(scan: RequestScan): object {
  const found = field(scan.body, scan.fields, 'stream_options')
  return typeof found === 'object' && found !== null ? found : {}
}

/** Replaces a value, or adds the key behind the opening brace. */
function set(scan: RequestScan, key: string, value: unknown): Edit {
  const extent = scan.fields.get(key)
  if (extent !== undefined) return { ...extent, text: JSON.stringify(value) }
  const open = scan.body.indexOf(0x7b) + 1
  return { start: open, end: open, text: `${JSON.stringify(key)}:${JSON.stringify(value)}${scan.fields.size === 0 ? '' : ','}` }
}

function applied(body: Uint8Array, edits: Edit[]): Uint8Array {
  const parts: Uint8Array[] = []
  let from = 0
  for (const edit of edits.sort((a, b) => a.start - b.start)) {
    parts.push(body.subarray(from, edit.start), Buffer.from(edit.text))
    from = edit.end
  }
  parts.push(body.subarray(from))
  return Buffer.concat(parts)
}
