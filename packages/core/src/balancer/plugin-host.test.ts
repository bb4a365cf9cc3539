import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../contracts/index.js'
import { createPluginHost } from './plugin-host.js'

let server: Server

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`
}

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const host = createPluginHost(silentLogger)

describe('GET for plugins', () => {
  it('returns any status as a value, with the headers that were asked for', async () => {
    const url = await serve((request, response) => response.writeHead(503).end(request.headers['authorization']))
    const answer = await host.get(url, { signal: AbortSignal.timeout(5000), headers: { authorization: 'Bearer k' } })
    expect(answer).toEqual({ status: 503, text: 'Bearer k' })
  })

  it('follows no redirect', async () => {
    const url = await serve((_request, response) => response.writeHead(302, { location: 'http://example.invalid/' }).end())
    expect((await host.get(url, { signal: AbortSignal.timeout(5000) })).status).toBe(302)
  })

  it('throws on an answer over 4 MiB instead of keeping it', async () => {
    const url = await serve((_request, response) => response.end(Buffer.alloc(5 * 1024 * 1024, 'x')))
    await expect(host.get(url, { signal: AbortSignal.timeout(5000) })).rejects.toThrow(/4 MiB/)
  })

  it('ends when its signal says so', async () => {
    const url = await serve(() => undefined)
    await expect(host.get(url, { signal: AbortSignal.timeout(50) })).rejects.toThrow()
  })
})
