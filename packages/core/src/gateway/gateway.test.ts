import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../base/index.js'
import { silentLogger } from '../contracts/index.js'
import { fetchExchange, nodeExchange } from '../wire/index.js'
import { createGateway, type Gateway } from './create-gateway.js'
import { createKeyRing } from './key-ring.js'
import { newRequestId, requestIdOf } from './request-id.js'

let closed: string | undefined
let ready: boolean
let keys: string[]
let server: Server
let url: string

function gateway(): Gateway {
  return createGateway({
    proxy: {
      handle({ exchange, face, requestId, client }) {
        exchange.respond({ status: 200, headers: { 'x-request-id': requestId, ...(client === undefined ? {} : { 'x-client': client }) } })
        exchange.write(Buffer.from(face))
        exchange.end()
      },
    },
    keys: () => createKeyRing(keys.map((key) => ({ name: `name of ${key}`, key }))),
    cors: () => undefined,
    closedBecause: () => closed,
    ready: () => ready,
    models: () => ['a', 'org/b'],
    metrics: () => Promise.resolve({ contentType: 'text/plain', text: 'lb_up 1\n' }),
    startedAtMs: 5_000,
    clock: systemClock,
    log: silentLogger,
  })
}

/** Every question goes through both doors; they must agree. */
async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; text: string; headers: Headers }> {
  const listened = await fetch(`${url}${path}`, init)
  const { exchange, response } = fetchExchange(new Request(`http://x${path}`, init))
  gateway().handle(exchange)
  const fetched = await response
  const given = await listened.text()
  expect(fetched.status).toBe(listened.status)
  expect((await fetched.text()).replace(/req_\w+/, 'id')).toBe(given.replace(/req_\w+/, 'id'))
  return { status: listened.status, text: given, headers: listened.headers }
}

beforeEach(async () => {
  closed = undefined
  ready = true
  keys = []
  server = createServer((request, response) => gateway().handle(nodeExchange(request, response)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

describe('the gateway', () => {
  it.each([
    ['/v1/chat/completions', 'openai-chat'],
    ['/v1/completions?x=1', 'openai-completions'],
    ['/v1/embeddings', 'openai-embeddings'],
    ['/v1/audio/transcriptions', 'openai-transcriptions'],
  ])('leads %s to the corridor', async (path, face) => {
    expect(await ask(path, { method: 'POST', body: '{}' })).toMatchObject({ status: 200, text: face })
  })

  it('lists models, and one by its name with a slash', async () => {
    expect(JSON.parse((await ask('/v1/models')).text)).toMatchObject({ object: 'list', data: [{ id: 'a', created: 5 }, { id: 'org/b' }] })
    expect(JSON.parse((await ask('/v1/models/org/b')).text)).toMatchObject({ id: 'org/b' })
    expect((await ask('/v1/models/nope')).status).toBe(404)
  })

  it('is healthy while it lives and ready while it takes requests', async () => {
    ready = false
    expect((await ask('/health')).status).toBe(200)
    expect((await ask('/ready')).status).toBe(503)
    ready = true
    expect((await ask('/ready')).status).toBe(200)
    closed = 'stopping'
    expect((await ask('/ready')).status).toBe(503)
    const refused = await ask('/v1/embeddings', { method: 'POST', body: '{}' })
    expect(refused).toMatchObject({ status: 503 })
    expect(refused.headers.get('retry-after')).toBe('1')
  })

  it.each([
    '/v1/files',
    '/v1/uploads/1/parts',
    '/v1/batches/1',
    '/v1/fine_tuning/jobs',
    '/v1/assistants',
    '/v1/threads/1/runs',
    '/v1/images/generations',
    '/v1/videos',
    '/v1/audio/speech',
    '/v1/realtime',
    '/v2/models/a/infer',
    '/v1/responses',
    '/v1/messages',
    '/api/chat',
    '/nothing',
    '/__proto__',
  ])('refuses %s with a reason', async (path) => {
    const answer = await ask(path, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'LB_NO_SUCH_PATH', type: 'not_found_error' } })
    expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
  })

  it('says that it speaks no gRPC, on any path, to whoever has a key', async () => {
    for (const [path, type] of [
      ['/inference.GRPCInferenceService/ModelInfer', 'application/grpc'],
      ['/v1/chat/completions', 'application/grpc-web+proto'],
    ] as const) {
      const answer = await ask(path, { method: 'POST', body: '{}', headers: { 'content-type': type } })
      expect(answer.status).toBe(415)
      expect(JSON.parse(answer.text)).toMatchObject({ error: { code: 'LB_NO_GRPC', message: expect.stringContaining('Envoy') as string } })
    }
    keys = ['right-key']
    expect((await ask('/x', { method: 'POST', body: '{}', headers: { 'content-type': 'application/grpc' } })).status).toBe(401)
  })

  it('says by which key a client came, by its name and never by the key', async () => {
    const post = { method: 'POST', body: '{}' }
    expect((await ask('/v1/embeddings', post)).headers.get('x-client')).toBeNull()
    keys = ['other-key', 'right-key']
    const answer = await ask('/v1/embeddings', { ...post, headers: { authorization: 'Bearer right-key' } })
    expect(answer.headers.get('x-client')).toBe('name of right-key')
  })

  it('names the right method', async () => {
    const answer = await ask('/v1/chat/completions')
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('POST')
    expect((await ask('/health', { method: 'DELETE' })).headers.get('allow')).toBe('GET, HEAD')
    expect((await fetch(`${url}/health`, { method: 'HEAD' })).status).toBe(200)
  })
})

describe('keys', () => {
  beforeEach(() => {
    keys = ['right-key', 'other']
  })

  it.each([
    ['none', {}, 401],
    ['a wrong one', { authorization: 'Bearer wrong' }, 401],
    ['an empty one', { authorization: 'Bearer ' }, 401],
    ['one that differs in the end', { authorization: 'Bearer right-keY' }, 401],
    ['two different ones', { authorization: 'Bearer right-key', 'x-api-key': 'other' }, 401],
    ['another scheme', { authorization: 'Basic right-key' }, 401],
    ['the right one as bearer', { authorization: 'bearer right-key' }, 200],
    ['the right one as x-api-key', { 'x-api-key': 'other' }, 200],
    ['the same one twice', { authorization: 'Bearer other', 'x-api-key': 'other' }, 200],
  ])('%s', async (_title, headers, status) => {
    expect((await ask('/v1/models', { headers })).status).toBe(status)
  })

  it('are asked for before a path is looked at, never in the query, and not for health', async () => {
    expect((await ask('/nothing')).status).toBe(401)
    expect((await ask('/metrics')).status).toBe(401)
    expect((await ask('/v1/models?api_key=right-key')).status).toBe(401)
    expect((await ask('/health')).status).toBe(200)
    expect((await ask('/ready')).status).toBe(200)
  })
})

describe('request ids', () => {
  it("keep the client's when it is harmless", () => {
    expect(requestIdOf('my-id.1', 0)).toBe('my-id.1')
    for (const bad of ['', 'a b', 'x'.repeat(129), 'a\u001b[2J', undefined]) expect(requestIdOf(bad, 0)).toMatch(/^req_/)
  })

  it('sort by time and differ', () => {
    expect(newRequestId(1_000) < newRequestId(2_000_000)).toBe(true)
    expect(new Set(Array.from({ length: 100 }, () => newRequestId(1))).size).toBe(100)
  })
})
