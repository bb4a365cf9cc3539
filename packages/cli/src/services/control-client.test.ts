import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LbError, type BalancerEvent } from '@plimsoll/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sampleNode, samplePool, sampleStatus } from '../views/board/sample-status.test.fixture.js'
import { nodeNamed } from './act-on-node.js'
import { createControlClient } from './control-client.js'

let folder: string
let server: Server
let seen: string[]
let answer: (request: IncomingMessage, response: ServerResponse) => void

beforeEach(async () => {
  // A folder with a colon and a space: a socket path may hold what a URL may not.
  folder = mkdtempSync(join(tmpdir(), 'lb c:l '))
  seen = []
  server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => {
      seen.push(`${request.method} ${request.url} ${body}`)
      answer(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve))
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

const client = (filesAreHere = true) => createControlClient({ socketPath: join(folder, 's'), filesAreHere })

describe('the control client', () => {
  it('asks for the status and remembers where logs are, unless they are elsewhere', async () => {
    const status = sampleStatus({ pools: [samplePool('demo', [sampleNode('demo/a', { logPath: '/x.log' })])] })
    answer = (_, response) => response.end(JSON.stringify(status))
    const here = client()
    expect(await here.status()).toEqual(status)
    expect(here.logPath('demo/a')).toBe('/x.log')
    const there = client(false)
    await there.status()
    expect(there.logPath('demo/a')).toBeUndefined()
  })

  it('posts what to do, with node names as path parts', async () => {
    answer = (_, response) => response.end('{}')
    await client().drain('demo/a b')
    await client().stop({ drainMs: 5, force: true })
    expect(seen).toEqual(
      ['POST /v1/nodes/demo/a%20b/drain {}', 'POST /v1/stop {"drainMs":5,"force":true}'].map((line) => line.replace(' {}', ' ')),
    )
  })

  it('hands on a refusal with its code and hint', async () => {
    answer = (_, response) =>
      response.writeHead(404).end(JSON.stringify({ error: { code: 'LB_NODE_UNKNOWN', message: 'no such node', hint: 'look' } }))
    await expect(client().restart('a/b')).rejects.toMatchObject({ code: 'LB_NODE_UNKNOWN', message: 'no such node', hint: 'look' })
  })

  it('reads events that come cut anywhere, and ends with the stream', async () => {
    answer = (_, response) => {
      response.write('{"atMs":1,"kind":"balancer","mess')
      setImmediate(() => response.end('age":"a"}\n{"atMs":2,"kind":"gateway","message":"b"}\n'))
    }
    const events: BalancerEvent[] = []
    await client().events((event) => events.push(event), new AbortController().signal)
    expect(events.map((event) => event.message)).toEqual(['a', 'b'])
  })

  it('stops following when told to', async () => {
    const life = new AbortController()
    answer = (_, response) => response.write('{"atMs":1,"kind":"balancer","message":"a"}\n')
    await client().events(() => life.abort(), life.signal)
  })

  it('says that nothing runs where nobody listens, in the words it was given', async () => {
    const socketPath = join(folder, 'none')
    await expect(createControlClient({ socketPath }).status()).rejects.toMatchObject({ code: 'LB_NOT_RUNNING' })
    const onSilence = () => Promise.resolve(new LbError('it was killed', { code: 'LB_NOT_RUNNING', source: 'operator' }))
    await expect(createControlClient({ socketPath, onSilence }).status()).rejects.toThrow('it was killed')
  })

  it('does not take a hung-up call for an absent balancer', async () => {
    answer = (request) => request.socket.destroy()
    await expect(client().status()).rejects.toMatchObject({ code: 'LB_NO_ANSWER' })
  })
})

describe('the node that is meant', () => {
  const status = sampleStatus({ pools: [samplePool('a', [sampleNode('a/x'), sampleNode('a/y')]), samplePool('b', [sampleNode('b/x')])] })

  it('may be named without its pool where that is clear', () => {
    expect(nodeNamed(status, 'a/x')).toBe('a/x')
    expect(nodeNamed(status, 'y')).toBe('a/y')
    expect(() => nodeNamed(status, 'x')).toThrow(/several nodes are called x/)
    expect(() => nodeNamed(status, 'z')).toThrow(/no node z/)
  })
})
