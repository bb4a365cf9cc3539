import { createRequire } from 'node:module'

/** Where a parsed head has its parts; offsets into the parsed bytes. Reused by the next parse. */
export interface HeadSpans {
  urlStart: number
  urlEnd: number
  /** Number of header lines. */
  count: number
  /** Four offsets a header: name start, name end, value start, value end. */
  readonly offsets: Int32Array
  /** Of HTTP/1.x. */
  minor: number
  /** CONNECT, or an Upgrade header that the client meant. */
  upgrade: boolean
}

interface Exports {
  readonly memory: WebAssembly.Memory
  _initialize(): void
  malloc(bytes: number): number
  llhttp_alloc(type: number): number
  llhttp_reset(parser: number): void
  llhttp_execute(parser: number, data: number, length: number): number
  llhttp_get_http_major(parser: number): number
  llhttp_get_http_minor(parser: number): number
  llhttp_get_method(parser: number): number
  llhttp_get_error_reason(parser: number): number
}

const REQUEST = 1
const OK = 0
const PAUSED_UPGRADE = 22
/** Returned by on_headers_complete: the body is not llhttp's business. */
const SKIP_BODY = 1

/** Most headers of one head: design/resilience.md, Defaults. */
export const MAX_HEADERS = 100
/** Largest head. */
export const MAX_HEAD_BYTES = 16_384

/**
 * llhttp, the request parser of Node.js, as the WebAssembly build that undici ships: strict, and the same code everywhere. A head is parsed whole and
 * at once, so one parser serves all connections of a thread. Not a published API of undici: the version is pinned and llhttp.test.ts asserts the
 * module's hash.
 */
export class HeadParser {
  private readonly wasm: Exports
  private readonly parser: number
  private readonly input: number
  private memory: Buffer
  private lastWasValue = true
  private complete = false
  private readonly spans: HeadSpans = {
    urlStart: 0,
    urlEnd: 0,
    count: 0,
    offsets: new Int32Array((MAX_HEADERS + 1) * 4),
    minor: 1,
    upgrade: false,
  }

  constructor() {
    const instance = new WebAssembly.Instance(llhttpModule(), {
      env: {
        wasm_on_message_begin: () => OK,
        wasm_on_url: (_parser: number, at: number, length: number) => this.onUrl(at, length),
        wasm_on_status: () => OK,
        wasm_on_header_field: (_parser: number, at: number, length: number) => this.onField(at, length),
        wasm_on_header_value: (_parser: number, at: number, length: number) => this.onValue(at, length),
        wasm_on_headers_complete: (_parser: number, _status: number, upgrade: number) => {
          this.spans.upgrade = upgrade !== 0
          this.complete = true
          return SKIP_BODY
        },
        wasm_on_body: () => OK,
        wasm_on_message_complete: () => OK,
      },
    })
    this.wasm = instance.exports as unknown as Exports
    this.wasm._initialize()
    this.parser = this.wasm.llhttp_alloc(REQUEST)
    this.input = this.wasm.malloc(MAX_HEAD_BYTES)
    this.memory = Buffer.from(this.wasm.memory.buffer)
  }

  /** Parses one head (at most MAX_HEAD_BYTES; whole, or its beginning to see whether it can still become one). Returns why it is refused, or its parts. */
  parse(head: Uint8Array): HeadSpans | string {
    const { wasm, parser, spans } = this
    spans.urlStart = -1
    spans.count = 0
    spans.upgrade = false
    this.lastWasValue = true
    this.complete = false
    if (this.memory.byteLength === 0) this.memory = Buffer.from(wasm.memory.buffer)
    this.memory.set(head, this.input)
    wasm.llhttp_reset(parser)
    const code = wasm.llhttp_execute(parser, this.input, head.byteLength)
    if (code !== OK && code !== PAUSED_UPGRADE) return this.reason()
    if (spans.count > MAX_HEADERS) return `more than ${MAX_HEADERS} headers`
    const major = wasm.llhttp_get_http_major(parser)
    // The beginning of a head may end before its version: that reads as 0.
    if (major !== 1 && (major !== 0 || this.complete)) return 'Invalid HTTP version'
    spans.minor = wasm.llhttp_get_http_minor(parser)
    return spans
  }

  private onUrl(at: number, length: number): number {
    const start = at - this.input
    if (this.spans.urlStart === -1) this.spans.urlStart = start
    this.spans.urlEnd = start + length
    return OK
  }

  private onField(at: number, length: number): number {
    const { spans } = this
    if (this.lastWasValue) {
      this.lastWasValue = false
      if (spans.count <= MAX_HEADERS) spans.offsets[spans.count * 4] = at - this.input
      spans.count += 1
    }
    if (spans.count <= MAX_HEADERS) spans.offsets[spans.count * 4 - 3] = at - this.input + length
    return OK
  }

  private onValue(at: number, length: number): number {
    const { spans } = this
    const start = at - this.input
    const base = spans.count * 4
    if (spans.count > MAX_HEADERS) return OK
    if (!this.lastWasValue) spans.offsets[base - 2] = start
    spans.offsets[base - 1] = start + length
    this.lastWasValue = true
    return OK
  }

  private reason(): string {
    const at = this.wasm.llhttp_get_error_reason(this.parser)
    return this.memory.toString('latin1', at, this.memory.indexOf(0, at))
  }
}

let compiled: WebAssembly.Module | undefined

/** The bytes of the module as undici ships them. */
export function llhttpBytes(): Uint8Array {
  return createRequire(import.meta.url)('undici/lib/llhttp/llhttp_simd-wasm.js') as Uint8Array
}

function llhttpModule(): WebAssembly.Module {
  return (compiled ??= new WebAssembly.Module(llhttpBytes()))
}
