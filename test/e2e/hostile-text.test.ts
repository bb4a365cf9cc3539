import { createServer, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { House, until } from './house.js'

let house: House
let engine: Server

afterEach(async () => {
  await house.close()
  engine.close()
})

const escape = '\u001b]52;c;ZXZpbA==\u0007\u001b[2J\r\u202eevil'

/** Row p of the promises: nothing that an engine or a client says reaches a terminal or a plain log as a control byte. */
describe('text with escape sequences', () => {
  it('from an engine or a client never reaches the terminal or the log raw', async () => {
    engine = createServer((request, response) => {
      const models = request.url?.includes('models') ?? false
      response.writeHead(models ? 200 : 500, { 'content-type': 'application/json' })
      response.end(models ? JSON.stringify({ data: [{ id: `m${escape}` }] }) : JSON.stringify({ error: { message: escape } }))
    })
    await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve))
    const port = (engine.address() as { port: number }).port
    house = new House(`gateway: { listen: 127.0.0.1:0 }
pools:
  chat:
    models: [m]
    nodes: [{ name: far, engine: openai, attach: 'http://127.0.0.1:${port}' }]
`)
    const url = await house.up()
    await until(async () => (await house.status()).pools[0]?.nodes[0]?.state === 'ready')
    await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'a b' },
      body: JSON.stringify({ model: escape, messages: [] }),
    })
    engine.close()
    engine.closeAllConnections()
    await until(async () => (await house.status()).pools[0]?.nodes[0]?.state !== 'ready', 20_000)
    for (const args of [['status'], ['logs'], ['plan'], ['config'], ['nodes', 'list']]) {
      const result = await house.lb(args)
      expect(`${result.stdout}${result.stderr}`, args.join(' ')).not.toMatch(CONTROL)
    }
    expect(house.logs()).not.toMatch(CONTROL)
  })
})

// oxlint-disable-next-line no-control-regex -- these are what must not appear
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
