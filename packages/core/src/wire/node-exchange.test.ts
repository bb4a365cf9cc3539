import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { isLbError } from '../errors/index.js'
import type { Exchange } from './exchange.js'
import { nodeExchange } from './node-exchange.js'

let server: Server

async function serve(
  handle: (exchange: Exchange, request: IncomingMessage, response: ServerResponse) => void,
  before?: (request: IncomingMessage) => void,
): Promise<number> {
  server = createServer((incoming, response) => {
    before?.(incoming)
    handle(nodeExchange(incoming, response), incoming, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** Answers with the body it read, or with the error's code. */
function echo(exchange: Exchange): void {
  const reading = Promise.resolve().then(() => exchange.readBody(1_000))
  reading.then(
    (body) => finish(exchange, 200, Buffer.from(body)),
    (error: unknown) =>
      finish(exchange, isLbError(error) ? error.httpStatus : 500, Buffer.from(isLbError(error) ? error.code : String(error))),
  )
}

function finish(exchange: Exchange, status: number, bytes: Uint8Array): void {
  exchange.respond({ status, headers: { 'content-type': 'text/plain' } })
  exchange.write(bytes)
  exchange.end()
}

async function post(port: number, body: string | ReadableStream): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}/a/b?c=d`, {
    method: 'POST',
    body,
    ...(typeof body === 'string' ? {} : { duplex: 'half' }),
  })
  return { status: answer.status, text: await answer.text() }
}

describe('the handler door', () => {
  it('reads counted and chunked bodies', async () => {
    const port = await serve(echo)
    expect(await post(port, 'héllo')).toEqual({ status: 200, text: 'héllo' })
    const chunks = new ReadableStream({
      start(controller) {
        for (const part of ['one ', 'two']) controller.enqueue(Buffer.from(part))
        controller.close()
      },
    })
    expect(await post(port, chunks)).toEqual({ status: 200, text: 'one two' })
  })

  it('refuses a body over its limit, announced or not', async () => {
    const port = await serve(echo)
    expect(await post(port, 'x'.repeat(1_001))).toEqual({ status: 413, text: 'LB_BODY_TOO_LARGE' })
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(Buffer.alloc(600, 'x')),
    })
    const answer = await post(port, endless).catch(() => undefined)
    if (answer !== undefined) expect(answer).toEqual({ status: 413, text: 'LB_BODY_TOO_LARGE' })
  })

  it.each([
    ['raw bytes', { rawBody: Buffer.from('kept') }, { status: 200, text: 'kept' }],
    ['a string body', { body: 'kept' }, { status: 200, text: 'kept' }],
    ['raw bytes beside a parsed object', { rawBody: Buffer.from('kept'), body: { a: 1 } }, { status: 200, text: 'kept' }],
  ])('takes what a framework has read before: %s', async (_title, kept, expected) => {
    const port = await serve(
      (exchange, incoming) => void incoming.resume().on('end', () => echo(exchange)),
      (incoming) => void Object.assign(incoming, kept),
    )
    expect(await post(port, '{"a":1}')).toEqual(expected)
  })

  it('refuses a body of which only a parsed object is left', async () => {
    const port = await serve(
      (exchange, incoming) => void incoming.resume().on('end', () => echo(exchange)),
      (incoming) => void Object.assign(incoming, { body: { a: 1 } }),
    )
    expect(await post(port, '{"a":1}')).toEqual({ status: 500, text: 'LB_BODY_CONSUMED' })
  })

  it('splits path and query and lowers header names', async () => {
    const heads: unknown[] = []
    const port = await serve((exchange) => {
      heads.push(exchange.head)
      finish(exchange, 200, Buffer.from(''))
    })
    await post(port, '')
    expect(heads).toMatchObject([{ method: 'POST', path: '/a/b', query: 'c=d', headers: { host: `127.0.0.1:${port}` } }])
  })

  it('tells once when the client leaves before the end, and at once when it has left already', async () => {
    let gone = 0
    let late = 0
    const port = await serve((exchange) => {
      exchange.onGone(() => {
        gone += 1
        exchange.onGone(() => (late += 1))
      })
    })
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n', () => setTimeout(() => socket.destroy(), 20)),
    )
    await expect.poll(() => gone).toBe(1)
    expect(late).toBe(1)
  })

  it('does not call a finished answer a client that left', async () => {
    let gone = 0
    const port = await serve((exchange) => {
      exchange.onGone(() => (gone += 1))
      finish(exchange, 200, Buffer.from('all'))
    })
    expect((await post(port, 'x')).text).toBe('all')
    server.closeAllConnections()
    await new Promise((resolve) => setImmediate(resolve))
    expect(gone).toBe(0)
  })

  it('breaks an aborted answer so that the client sees it', async () => {
    const port = await serve((exchange) => {
      exchange.respond({ status: 200, headers: {} })
      exchange.write(Buffer.from('half'))
      setTimeout(() => exchange.abort(), 20)
    })
    const broken = new Promise((resolve) => {
      request({ port, host: '127.0.0.1' }, (answer) =>
        answer
          .resume()
          .on('error', () => resolve('broken'))
          .on('end', () => resolve('clean end')),
      ).end()
    })
    expect(await broken).toBe('broken')
  })

  it.each(['1.0', '1.1'])('breaks a body off so that a client of HTTP/%s never sees a clean end', async (version) => {
    let abort = (): void => undefined
    const port = await serve((exchange) => {
      exchange.respond({ status: 200, headers: {} })
      exchange.write(Buffer.from('begun'))
      abort = () => exchange.abort()
    })
    const socket = connect(port, '127.0.0.1').setEncoding('latin1')
    let text = ''
    let reset = false
    socket.on('data', (more: string) => {
      text += more
      if (text.includes('begun')) abort()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => (reset = error.code === 'ECONNRESET'))
    socket.write(`GET / HTTP/${version}\r\nhost: a\r\n\r\n`)
    await new Promise<void>((resolve) => socket.on('close', resolve))
    expect(text).toContain('begun')
    expect(reset || (version === '1.1' && !text.endsWith('0\r\n\r\n'))).toBe(true)
  })
})
