import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { EnginePlugin } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { createBalancer, type Balancer } from './create-balancer.js'

let server: Server
let balancer: Balancer

afterEach(async () => {
  await balancer.close({ drainMs: 0, force: true })
  server.close()
})

const plugin: EnginePlugin = {
  apiVersion: 1,
  engine: 'early',
  settings: {},
  canLaunch: false,
  summary: 'for this test',
  createBackend: () => ({ minProbeIntervalMs: 60_000, dialect: openaiDialect(), probe: () => Promise.resolve({ verdict: 'ready' }) }),
}

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'

/** Answers each request at its head, reads its body slowly after that, and hands over each body, whole or not. */
function engine(onBody: (text: string) => void): (socket: Socket) => void {
  return (socket) => {
    let head = ''
    let body = ''
    let left = 0
    const take = (text: string): void => {
      if (left > 0) {
        const part = text.slice(0, left)
        body += part
        left -= part.length
        if (left > 0) return
        onBody(body)
        body = ''
        return take(text.slice(part.length))
      }
      head += text
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return
      left = Number(/content-length: (\d+)/.exec(head)?.[1])
      const rest = head.slice(end + 4)
      head = ''
      socket.write(ANSWER)
      if (rest !== '') take(rest)
    }
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => {
      take(bytes.toString('latin1'))
      socket.pause()
      setTimeout(() => socket.resume(), 1)
    })
    socket.on('close', () => onBody(body))
  }
}

describe('an engine that answers before it has read the request', () => {
  it('never gets the bytes of one request inside another, though their memory is used again', async () => {
    const bodies: string[] = []
    server = createServer(engine((text) => bodies.push(text)))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const attach = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    balancer = createBalancer({
      topology: { name: 't', pools: { p: { models: ['m'], nodes: [{ engine: 'early', attach }] } } },
      engines: [plugin],
    })
    await balancer.start()
    const url = await balancer.listen({ host: '127.0.0.1', port: 0 })
    for (let round = 0; round < 40; round += 1) {
      const letter = String.fromCharCode(97 + (round % 26))
      const body = JSON.stringify({ model: 'm', messages: [letter.repeat(900_000)] })
      const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
      expect(await answer.text()).toBe('{}')
    }
    await balancer.close({ drainMs: 0, force: true })
    await expect.poll(() => bodies.length).toBeGreaterThan(0)
    for (const body of bodies) {
      const letters = body.slice(body.indexOf('["') + 2).replace(/"\]\}$/, '')
      expect(letters).toBe((letters[0] ?? '').repeat(letters.length))
    }
  })
})
