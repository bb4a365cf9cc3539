import type { Face } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import { scanTopLevel } from './body-scanner.js'
import { JsonScanError, type Extent, type TopLevel } from './top-level.js'

/** What routing must know of a body, and where the parts stand that may be edited. */
export interface RequestScan {
  readonly face: Face
  readonly body: Uint8Array
  readonly fields: TopLevel
  readonly model: string | undefined
  readonly stream: boolean
  /** Longest wanted answer, where the client says. */
  readonly maxTokens: number | undefined
  /** The client asked for the usage event of a stream. */
  readonly includeUsage: boolean
}

/** Largest value that is parsed for routing; a model's name or stream options are far smaller. */
const MAX_FIELD_BYTES = 65_536

/** Reads a body once. Throws LB_BAD_JSON or LB_BAD_REQUEST (400), which say what is wrong and where. */
export function scanRequest(face: Face, body: Uint8Array): RequestScan {
  const fields = scanned(body)
  const model = field(body, fields, 'model')
  const stream = field(body, fields, 'stream')
  if (model !== undefined && model !== null && typeof model !== 'string') throw badRequest('model must be a string')
  if (stream !== undefined && stream !== null && typeof stream !== 'boolean') throw badRequest('stream must be true or false')
  const options = field(body, fields, 'stream_options')
  return {
    face,
    body,
    fields,
    model: typeof model === 'string' && model !== '' ? model : undefined,
    stream: stream === true,
    maxTokens: positive(field(body, fields, 'max_completion_tokens')) ?? positive(field(body, fields, 'max_tokens')),
    includeUsage: typeof options === 'object' && options !== null && 'include_usage' in options && options.include_usage === true,
  }
}

/** The parsed value of one top-level field; undefined when absent or too large to matter here. */
export function field(body: Uint8Array, fields: TopLevel, name: string): unknown {
  const extent = fields.get(name)
  if (extent === undefined || extent.end - extent.start > MAX_FIELD_BYTES) return undefined
  return JSON.parse(textOf(body, extent)) as unknown
}

function scanned(body: Uint8Array): TopLevel {
  try {
    return scanTopLevel(body)
  } catch (error) {
    if (!(error instanceof JsonScanError)) throw error
    throw new LbError(`the request body is not usable JSON: ${error.message} (at byte ${error.offset})`, {
      code: 'LB_BAD_JSON',
      source: 'client',
      httpStatus: 400,
      cause: error,
    })
  }
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.floor(value) : undefined
}

function textOf(body: Uint8Array, extent: Extent): string {
  return Buffer.from(body.buffer, body.byteOffset + extent.start, extent.end - extent.start).toString('utf8')
}

function badRequest(message: string): LbError {
  return new LbError(message, { code: 'LB_BAD_REQUEST', source: 'client', httpStatus: 400 })
}
