import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../base/index.js'
import { silentLogger } from '../contracts/index.js'
import type { Proxy } from '../proxy/index.js'
import { nodeExchange } from '../wire/index.js'
import { createCors, type Cors } from './cors.js'
import { createGateway } from './create-gateway.js'
import { createKeyRing } from './key-ring.js'

const page = 'http://localhost:3000'
let cors: Cors | undefined
let server: Server
let url: string

async function answer({ exchange, requestId }: Parameters<Proxy['handle']>[0]): Promise<void> {
  const body = await exchange.readBody(1000)
  exchange.respond({ status: body.byteLength === 0 ? 400 : 200, headers: { 'x-request-id': requestId } })
  exchange.end(body)
}

beforeEach(async () => {
  cors = createCors({ origins: [page, 'tauri://localhost'], maxAgeMs: 600_000 })
  const gateway = createGateway({
    proxy: {
      handle: (request) => void answer(request),
    },
    keys: () => createKeyRing([{ name: 'right', key: 'right-key' }]),
    cors: () => cors,
    closedBecause: () => undefined,
    ready: () => true,
    models: () => ['a'],
    metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
    startedAtMs: 0,
    clock: systemClock,
    log: silentLogger,
  })
  server = createServer((request, response) => gateway.handle(nodeExchange(request, response)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const key = { authorization: 'Bearer right-key' }

async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; text: string; headers: Record<string, string> }> {
  const answer = await fetch(`${url}${path}`, init)
  return { status: answer.status, text: await answer.text(), headers: Object.fromEntries(answer.headers) }
}

function preflight(path: string, { origin = page, method = 'POST', names }: { origin?: string; method?: string; names?: string } = {}) {
  const asked = names === undefined ? {} : { 'access-control-request-headers': names }
  return ask(path, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': method, ...asked } })
}

function spoken(headers: Record<string, string>): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-') || name === 'vary')
}

describe('a preflight', () => {
  it('from a listed origin is answered without a key', async () => {
    const { status, text, headers } = await preflight('/v1/chat/completions')
    expect([status, text]).toEqual([204, ''])
    expect(headers).toMatchObject({
      'access-control-allow-origin': page,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization, content-type, x-api-key, x-request-id',
      'access-control-max-age': '600',
      vary: 'origin',
    })
    expect((await preflight('/v1/models/org/a', { origin: 'tauri://localhost', method: 'GET' })).headers).toMatchObject({
      'access-control-allow-origin': 'tauri://localhost',
      'access-control-allow-methods': 'GET, HEAD',
    })
  })

  it('may ask for further headers, as far as their names are harmless', async () => {
    const names = 'X-Stainless-Lang, authorization,openai-organization, a b, x;y, *, é'
    const { headers } = await preflight('/v1/embeddings', { names })
    expect(headers['access-control-allow-headers']).toBe(
      'authorization, content-type, x-api-key, x-request-id, x-stainless-lang, openai-organization',
    )
    const many = Array.from({ length: 500 }, (_, n) => `x-${n}`).join()
    expect((await preflight('/v1/embeddings', { names: many })).headers['access-control-allow-headers']?.split(', ')).toHaveLength(4 + 64)
  })

  it.each(['http://localhost:3001', 'https://localhost:3000', 'http://localhost:3000.evil', 'null', '*', '__proto__'])(
    'from %s is refused in words and without CORS headers',
    async (origin) => {
      const { status, text, headers } = await preflight('/v1/chat/completions', { origin })
      expect(status).toBe(403)
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'LB_ORIGIN_REFUSED', message: expect.stringContaining(origin) as string } })
      expect(spoken(headers)).toEqual([])
    },
  )

  it('is one only with an origin and a method, on a path that is served', async () => {
    expect((await ask('/v1/models', { method: 'OPTIONS', headers: { origin: page } })).status).toBe(401)
    expect((await ask('/v1/models', { method: 'OPTIONS', headers: { ...key, origin: page } })).status).toBe(405)
    expect((await ask('/v1/models', { method: 'OPTIONS', headers: { ...key, 'access-control-request-method': 'GET' } })).status).toBe(405)
    expect((await preflight('/v1/files')).status).toBe(401)
  })
})

describe('an answer', () => {
  const told = {
    'access-control-allow-origin': page,
    'access-control-expose-headers': 'x-request-id, x-lb-node, x-lb-attempts, retry-after',
    vary: 'origin',
  }
  const post = { method: 'POST', body: 'hello' }

  it('to a listed origin may be read by the page, and so may its errors', async () => {
    const answer = await ask('/v1/chat/completions', { ...post, headers: { ...key, origin: page } })
    expect(answer).toMatchObject({ status: 200, text: 'hello', headers: told })
    expect(answer.headers['x-request-id']).toMatch(/^req_/)
    expect(await ask('/v1/chat/completions', { ...post, headers: { origin: page } })).toMatchObject({ status: 401, headers: told })
    expect(await ask('/v1/completions', { method: 'POST', headers: { ...key, origin: page } })).toMatchObject({
      status: 400,
      headers: told,
    })
    expect(await ask('/v1/files', { headers: { ...key, origin: page } })).toMatchObject({ status: 404, headers: told })
    expect(await ask('/v1/models', { headers: { ...key, origin: page } })).toMatchObject({ status: 200, headers: told })
  })

  it('to another origin, or to no page at all, says nothing of origins', async () => {
    for (const headers of [key, { ...key, origin: 'http://evil' }]) {
      const answer = await ask('/v1/chat/completions', { ...post, headers })
      expect(answer.status).toBe(200)
      expect(spoken(answer.headers)).toEqual([])
    }
  })

  it('goes to every origin where that is asked for', async () => {
    cors = createCors({ origins: ['*'], maxAgeMs: 0 })
    expect((await ask('/v1/models', { headers: { ...key, origin: 'http://any' } })).headers).toMatchObject({
      'access-control-allow-origin': '*',
    })
    expect(await preflight('/v1/models', { origin: 'null', method: 'GET' })).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': '*', 'access-control-max-age': '0' },
    })
  })

  it('says nothing where the topology declares no origins', async () => {
    cors = undefined
    expect(spoken((await ask('/v1/models', { headers: { ...key, origin: page } })).headers)).toEqual([])
    expect((await preflight('/v1/models')).status).toBe(401)
  })
})
