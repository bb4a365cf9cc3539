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
  const values = new Map<string, unknown>()
  if (edits.model !== undefined) values.set('model', edits.model)
  if (edits.includeUsage === true && !scan.includeUsage) values.set('stream_options', { ...streamOptions(scan), include_usage: true })
  return values.size === 0 ? scan.body : applied(scan.body, editsOf(scan, values))
}

function streamOptions(scan: RequestScan): object {
  const found = field(scan.body, scan.fields, 'stream_options')
  return typeof found === 'object' && found !== null ? found : {}
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

function applied(body: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const parts: Uint8Array[] = []
  let from = 0
  for (const edit of edits) {
    parts.push(body.subarray(from, edit.start), Buffer.from(edit.text))
    from = edit.end
  }
  parts.push(body.subarray(from))
  return Buffer.concat(parts)
}
