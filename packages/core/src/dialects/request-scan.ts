import type { Face } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import { BodyScanner } from './body-scanner.js'
import { MultipartError } from './multipart-error.js'
import { MultipartScanner } from './multipart.js'
import { JsonScanError, type TopLevel } from './top-level.js'

/** What routing must know of a body, and where the parts stand that may be edited. */
export interface RequestScan {
  readonly face: Face
  readonly body: Buffer
  /** Top-level values of a JSON body; contents of the parts that matter of a form. */
  readonly fields: TopLevel
  readonly model: string | undefined
  readonly stream: boolean
  /** Longest wanted answer, where the client says. */
  readonly maxTokens: number | undefined
  /** The client asked for the usage event of a stream. */
  readonly includeUsage: boolean
  /** What the engine is told that the body is. */
  readonly contentType: string
  /** What stands between the parts of a form; undefined for JSON. */
  readonly delimiter: string | undefined
}

/** Largest value that is parsed for routing; a model's name or stream options are far smaller. */
const MAX_FIELD_BYTES = 65_536
/** These take forms, the others JSON. */
const FORM_FACES: ReadonlySet<Face> = new Set<Face>(['openai-transcriptions'])
const FORM = /^[ \t]*multipart\//i
const JSON_TYPE = 'application/json'
const T = 0x74
const F = 0x66

/**
 * Reads a body once, in pieces as they arrive or whole. Throws LB_BAD_JSON or LB_BAD_REQUEST (400), which say what is wrong and where: on a form where
 * JSON belongs and the other way round at once, on bad JSON with the piece that is wrong.
 */
export class RequestScanner {
  private readonly json: BodyScanner | undefined
  private readonly form: MultipartScanner | undefined
  private pushedBytes = 0

  constructor(
    private readonly face: Face,
    private readonly contentType = '',
  ) {
    const isForm = FORM.test(contentType)
    if (isForm && !FORM_FACES.has(face)) throw badRequest(`an ${face} request is JSON; this one is sent as multipart/form-data`)
    if (!isForm && FORM_FACES.has(face)) throw badRequest(`an ${face} request is sent as multipart/form-data; this one is not`)
    try {
      if (isForm) this.form = new MultipartScanner(contentType)
      else this.json = new BodyScanner()
    } catch (error) {
      throw named(error)
    }
  }

  /** May be left out; then `finish` reads the whole body. The bytes are needed during the call only. */
  push(bytes: Uint8Array): void {
    this.pushedBytes += bytes.byteLength
    try {
      this.json?.push(bytes)
      this.form?.push(bytes)
    } catch (error) {
      throw named(error)
    }
  }

  /** `body`: everything that was pushed, in one piece. */
  finish(body: Buffer): RequestScan {
    if (this.pushedBytes === 0) this.push(body)
    const { face, json, form, contentType } = this
    try {
      if (form === undefined) return requestOf(face, body, json?.finish() ?? new Map())
      return { face, body, maxTokens: undefined, includeUsage: false, contentType, ...form.finish(body) }
    } catch (error) {
      throw named(error)
    }
  }
}

/** Reads a body that is there as a whole. Throws like RequestScanner. */
export function scanRequest(face: Face, body: Uint8Array, contentType?: string): RequestScan {
  return new RequestScanner(face, contentType).finish(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
}

function requestOf(face: Face, body: Buffer, fields: TopLevel): RequestScan {
  const named = fields.get('model')
  if (named !== undefined && named.end - named.start > MAX_FIELD_BYTES)
    throw badRequest(`model is longer than ${MAX_FIELD_BYTES / 1024} KiB`)
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
    contentType: JSON_TYPE,
    delimiter: undefined,
  }
}

/** The parsed value of one top-level field; undefined when absent or too large to matter here. */
export function field(body: Buffer, fields: TopLevel, name: string): unknown {
  const extent = fields.get(name)
  if (extent === undefined || extent.end - extent.start > MAX_FIELD_BYTES) return undefined
  // What is there most of the time, without the parser's overhead: the body is JSON, and nothing else begins so.
  if (body[extent.start] === T) return true
  if (body[extent.start] === F) return false
  const text = body.toString('utf8', extent.start, extent.end)
  if (text.startsWith('"') && !text.includes('\\')) return text.slice(1, -1)
  return JSON.parse(text) as unknown
}

/** Gives what is wrong with a body its code. */
function named(error: unknown): unknown {
  if (error instanceof MultipartError) return badRequest(`the form is not usable: ${error.message} (at byte ${error.offset})`)
  if (!(error instanceof JsonScanError)) return error
  return new LbError(`the request body is not usable JSON: ${error.message} (at byte ${error.offset})`, {
    code: 'LB_BAD_JSON',
    source: 'client',
    httpStatus: 400,
    cause: error,
  })
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.floor(value) : undefined
}

function badRequest(message: string): LbError {
  return new LbError(message, { code: 'LB_BAD_REQUEST', source: 'client', httpStatus: 400 })
}
