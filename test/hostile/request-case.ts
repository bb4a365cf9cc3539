/** One hostile request: its bytes, what a careful server does with them, and why. */
import type { DoorName } from './doors.js'
import type { Step } from './raw-client.js'

/**
 * `served`: the origin gets exactly `bodies`. The others reach no origin: `declined` is an error answer with the connection left open, `refused` ends
 * the connection (after an error answer or in silence), `waits` gets no answer until a deadline ends it.
 */
export type Expect = 'served' | 'declined' | 'refused' | 'waits'

export interface RequestCase {
  readonly name: string
  /** Section of the RFC that says so; 9112 unless named. */
  readonly rfc: string
  readonly why: string
  readonly steps: readonly Step[]
  readonly expect: readonly Expect[]
  /** Where node:http, the host's own server, is known to do otherwise without harm. */
  readonly handler: readonly Expect[]
  /** Bodies that the origin must get, in order. */
  readonly bodies: readonly Buffer[]
  /** Statuses of all answers, where they matter. */
  readonly statuses: readonly number[] | undefined
  /** node:http answers bytes behind a request at once, before the request itself; its statuses say nothing then. */
  readonly listenOnly: boolean
}

/** A header value that must stay with the balancer; the judge looks for it in all that the origin got. */
export const HUSH = 'hush-7f3a'
export const LINE = 'POST /v1/chat/completions HTTP/1.1'
export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
export const expectedAt = (one: RequestCase, door: DoorName): readonly Expect[] => (door === 'handler' ? one.handler : one.expect)

/** The body of the case with this name: small JSON that no other case has. */
export const bodyOf = (name: string): string =>
  JSON.stringify({ model: 'm', messages: [], user: name.replaceAll(HUSH, '').replaceAll(/[^ -~]/g, '?') })
export const chunked = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n0\r\n\r\n`

export interface Written {
  readonly line?: string
  /** False: the lines bring their own Host. */
  readonly host?: boolean
  /** Header lines without their CRLF. */
  readonly lines?: readonly string[]
  readonly body?: string
}

/** A request as text; `content-length` is the writer's business. */
export function written({ line = LINE, host = true, lines = [], body = '' }: Written): string {
  return [line, ...(host ? ['Host: a.example'] : []), ...lines, '', body].join('\r\n')
}

/** A whole, harmless POST with a length. */
export function post(text: string, lines: readonly string[] = [], line = LINE): string {
  return written({ line, lines: [...lines, `Content-Length: ${Buffer.byteLength(text, 'latin1')}`], body: text })
}

export interface CaseOptions {
  readonly handler?: Expect | readonly Expect[]
  readonly bodies?: readonly string[]
  readonly statuses?: readonly number[]
  readonly listenOnly?: boolean
}

const listed = (expect: Expect | readonly Expect[]): readonly Expect[] => (typeof expect === 'string' ? [expect] : expect)

/** Makes a case; one that is served has its own body as the origin's unless it says otherwise. */
export function request(
  name: string,
  [rfc, why]: readonly [rfc: string, why: string],
  expect: Expect | readonly Expect[],
  make: (body: string) => string | readonly Step[],
  options: CaseOptions = {},
): RequestCase {
  const body = bodyOf(name)
  const made = make(body)
  const wanted = listed(expect)
  const handler = listed(options.handler ?? expect)
  const served = [...wanted, ...handler].includes('served')
  return {
    name,
    rfc,
    why,
    steps: typeof made === 'string' ? [latin1(made)] : made,
    expect: wanted,
    handler,
    bodies: (options.bodies ?? (served ? [body] : [])).map(latin1),
    statuses: options.statuses,
    listenOnly: options.listenOnly ?? false,
  }
}
