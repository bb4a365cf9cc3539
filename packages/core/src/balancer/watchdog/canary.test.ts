import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../base/index.js'
import { silentLogger, type Dialect } from '../../contracts/index.js'
import { openaiDialect } from '../../dialects/index.js'
import type { Node } from '../../nodes/index.js'
import { createPluginHost } from '../plugin-host.js'
import { askCanary, type CanaryEnd } from './canary.js'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function engine(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => answer(request, response, body))
  })
  servers.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** As much of a node as is asked for. */
function nodeAt(url: string, dialect: Dialect = openaiDialect()): Node {
  const endpoint = { url, backend: { dialect }, authHeaders: { authorization: 'Bearer key' } }
  return { endpoint, plan: { group: { model: 'there' }, pool: { models: ['m'] } } } as unknown as Node
}

const ask = (node: Node, withinMs = 5_000): Promise<CanaryEnd> | undefined =>
  askCanary(node, withinMs, { host: createPluginHost(silentLogger), clock: systemClock })

describe('a request of lb’s own', () => {
  it('asks for one token as a client of the engine would, with its key and its name of the model', async () => {
    let seen: unknown
    const url = await engine((request, response, body) => {
      seen = { url: request.url, key: request.headers.authorization, body: JSON.parse(body) as unknown }
      response.end('{"choices":[]}')
    })
    expect(await ask(nodeAt(url))).toEqual({ kind: 'answered', why: '' })
    expect(seen).toMatchObject({ url: '/v1/chat/completions', key: 'Bearer key', body: { model: 'there', max_tokens: 1, stream: false } })
  })

  it('takes a refusal of the request itself for an answer, and one of the engine for none', async () => {
    const answering = (status: number): Promise<string> => engine((_request, response) => response.writeHead(status).end('{}'))
    expect((await ask(nodeAt(await answering(400))))?.kind).toBe('answered')
    expect(await ask(nodeAt(await answering(503)))).toEqual({ kind: 'refused', why: 'it answered 503 to a request of one token' })
  })

  it('tells silence from a broken connection', async () => {
    const silent = await engine(() => undefined)
    expect(await ask(nodeAt(silent), 50)).toEqual({ kind: 'silent', why: 'no answer to a request of one token within 0.05 s' })
    expect((await ask(nodeAt('http://127.0.0.1:1')))?.kind).toBe('failed')
  })

  it('is none where an engine has no face that lb could ask', () => {
    const speech = { ...openaiDialect(), paths: { 'openai-transcriptions': '/v1/audio/transcriptions' } }
    expect(ask(nodeAt('http://127.0.0.1:1', speech))).toBeUndefined()
  })
})
