import { connect } from 'node:net'
import { RawClient } from '../wire/door.test.fixture.js'
import type { Rig } from './scripted-gateway.test.fixture.js'

export interface RawManner {
  readonly version?: '1.0' | '1.1'
  readonly keepAlive?: boolean
}

/** Asks on a raw socket; the connection closes behind the answer, unless it is to be kept. */
export function rawAsk(rig: Rig, body: object, { version = '1.1', keepAlive = false }: RawManner = {}): RawClient {
  const client = new RawClient(connect({ port: rig.port, host: '127.0.0.1', noDelay: true }))
  const text = JSON.stringify({ model: 'm', messages: [], stream: true, ...body })
  const lines = [
    'host: a',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    `connection: ${keepAlive ? 'keep-alive' : 'close'}`,
  ]
  client.send(`POST /v1/chat/completions HTTP/${version}\r\n${lines.join('\r\n')}\r\n\r\n${text}`)
  return client
}

/** Head and body of a whole raw answer, the body as UTF-8 and without its framing; throws where that is not as it must be. */
export function readRaw(raw: string): { head: string; framed: string; body: string } {
  const end = raw.indexOf('\r\n\r\n')
  if (end === -1) throw new Error(`no head: ${raw}`)
  const head = raw.slice(0, end)
  const framed = raw.slice(end + 4)
  const body = /transfer-encoding: chunked/i.test(head) ? unframed(framed) : framed
  return { head, framed, body: Buffer.from(body, 'latin1').toString('utf8') }
}

function unframed(framed: string): string {
  let body = ''
  for (let at = 0; ;) {
    const size = /^([0-9a-fA-F]+)\r\n/.exec(framed.slice(at, at + 20))
    if (size === null) throw new Error(`no chunk at ${at}: ${framed.slice(at, at + 40)}`)
    const bytes = Number.parseInt(size[1] ?? '', 16)
    const from = at + size[0].length
    if (framed.slice(from + bytes, from + bytes + 2) !== '\r\n') throw new Error(`a chunk at ${at} does not end`)
    if (bytes === 0 && framed.length !== from + 2) throw new Error('bytes behind the end')
    if (bytes === 0) return body
    body += framed.slice(from, from + bytes)
    at = from + bytes + 2
  }
}
