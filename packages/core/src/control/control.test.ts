import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { ControlActions } from './actions.js'
import type { NodeModels } from './models.js'
import { controlOpenApi } from './openapi.js'
import { createControlServer, type ControlServer } from './server.js'
import type { BalancerEvent, BalancerStatus } from './status.js'

let folder: string
let socketPath: string
let server: ControlServer
let asked: string[]
let listeners: Set<(event: BalancerEvent) => void>

const models: NodeModels = {
  pool: 'demo',
  node: 'demo/sim-0',
  engine: 'sim',
  state: 'ready',
  asked: ['sim-8b'],
  models: [{ name: 'sim-8b', loaded: true, contextTokens: 8192 }],
  adapters: [],
  error: null,
}
const status = { name: 'demo', pools: [] } as unknown as BalancerStatus

function actions(): ControlActions {
  const node = (verb: string) => (id: string) => {
    if (id !== 'demo/sim-0')
      throw new LbError(`no node ${id}`, { code: 'LB_UNKNOWN_NODE', source: 'operator', httpStatus: 404, hint: 'lb nodes list' })
    asked.push(`${verb} ${id}`)
  }
  return {
    status: () => status,
    metrics: () => '# metrics\n',
    models: () => Promise.resolve([models]),
    requests: (limit) => (asked.push(`requests ${limit}`), []),
    why: (id) => (id === 'gone' ? undefined : { id, record: null, decisions: [] }),
    traced: (limit) => (asked.push(`traced ${limit}`), [{ id: 'r1', record: null, decisions: [] }]),
    quarantine: () => [{ fingerprint: 'abcd', pool: 'demo', bytes: 7, nodes: ['demo/sim-0', 'demo/sim-1'], untilMs: 5, refused: 2 }],
    lift: (fingerprint) => (asked.push(`lift ${fingerprint}`), fingerprint === 'abcd'),
    drain: node('drain'),
    resume: node('resume'),
    restart: node('restart'),
    stop: (given) => void asked.push(`stop ${JSON.stringify(given)}`),
    recentEvents: () => [{ atMs: 1, kind: 'balancer', message: 'started' }],
    onEvent: (listener) => (listeners.add(listener), () => void listeners.delete(listener)),
  }
}

beforeEach(async () => {
  asked = []
  listeners = new Set()
  folder = mkdtempSync(join(tmpdir(), 'lb-control-'))
  socketPath = join(folder, 'c.sock')
  server = createControlServer({ actions: actions(), log: silentLogger })
  await server.listen(socketPath)
})

afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

function call(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.on('error', reject).end(body)
  })
}

describe('the control API', () => {
  it('answers every GET path of its own OpenAPI document, but for the stream', async () => {
    const document = controlOpenApi() as { paths: Record<string, Record<string, unknown>> }
    const served = JSON.parse((await call('GET', '/v1/openapi.json')).text) as unknown
    expect(served).toEqual(JSON.parse(JSON.stringify(document)))
    for (const [path, operations] of Object.entries(document.paths)) {
      if ('get' in operations && path !== '/v1/events') expect((await call('GET', path)).status, path).toBe(200)
      if ('post' in operations)
        expect(
          (await call('POST', path.replace('{pool}', 'demo').replace('{node}', 'sim-0').replace('{fingerprint}', 'abcd'))).status,
          path,
        ).toBe(200)
    }
  })

  it('lets only its owner open the socket', () => {
    expect(statSync(socketPath).mode & 0o777).toBe(0o600)
  })

  it('hands node actions on and names an unknown node', async () => {
    expect((await call('POST', '/v1/nodes/demo/sim-0/drain')).status).toBe(200)
    expect(asked).toEqual(['drain demo/sim-0'])
    const refused = await call('POST', '/v1/nodes/demo/x/drain')
    expect(refused.status).toBe(404)
    expect(JSON.parse(refused.text)).toEqual({ error: { code: 'LB_UNKNOWN_NODE', message: 'no node demo/x', hint: 'lb nodes list' } })
  })

  it('refuses what it does not know, in words', async () => {
    expect((await call('GET', '/v2/status')).status).toBe(404)
    expect((await call('POST', '/v1/status')).status).toBe(405)
    expect((await call('POST', '/v1/stop', '{"drainMs":-1}')).status).toBe(400)
    expect((await call('POST', '/v1/stop', '{"dra')).status).toBe(400)
    expect((await call('GET', '/v1/requests?limit=0')).status).toBe(400)
  })

  it('passes the wish to stop on as it was given', async () => {
    await call('POST', '/v1/stop', '{"drainMs":5,"force":true}')
    expect(asked).toEqual(['stop {"drainMs":5,"force":true}'])
  })

  it('tells what each node serves', async () => {
    const { status, text } = await call('GET', '/v1/models')
    expect(status).toBe(200)
    expect(JSON.parse(text)).toEqual({ nodes: [models] })
  })

  it('tells why a request went where it went, and that it knows nothing of one that is gone', async () => {
    const known = await call('GET', '/v1/requests/req_1/why')
    expect([known.status, JSON.parse(known.text)]).toEqual([200, { id: 'req_1', record: null, decisions: [] }])
    const gone = await call('GET', '/v1/requests/gone/why')
    expect(gone.status).toBe(404)
    expect(JSON.parse(gone.text)).toMatchObject({ error: { code: 'LB_UNKNOWN_REQUEST' } })
    const newest = await call('GET', '/v1/decisions?limit=1')
    expect(JSON.parse(newest.text)).toEqual({ traced: [{ id: 'r1', record: null, decisions: [] }] })
    expect(asked).toEqual(['traced 1'])
  })

  it('lists what is in quarantine and lets it through', async () => {
    const bodies = [{ fingerprint: 'abcd', pool: 'demo', bytes: 7, nodes: ['demo/sim-0', 'demo/sim-1'], untilMs: 5, refused: 2 }]
    expect(JSON.parse((await call('GET', '/v1/quarantine')).text)).toEqual({ bodies })
    expect(JSON.parse((await call('POST', '/v1/quarantine/abcd/lift')).text)).toEqual({ fingerprint: 'abcd', done: 'lift' })
    const gone = await call('POST', '/v1/quarantine/ffff/lift')
    expect([gone.status, gone.text]).toEqual([404, expect.stringContaining('LB_NOT_IN_QUARANTINE')])
  })

  it('streams recent and new events as lines and forgets a reader that leaves', async () => {
    const lines: string[] = []
    await new Promise<void>((resolve, reject) => {
      const sent = request({ socketPath, path: '/v1/events' }, (response) => {
        response.setEncoding('utf8').on('data', (part: string) => {
          lines.push(...part.trim().split('\n'))
          if (lines.length === 1) for (const listener of listeners) listener({ atMs: 2, kind: 'gateway', message: 'listening' })
          if (lines.length === 2) sent.destroy()
        })
        response.on('close', resolve)
      })
      sent.on('error', reject).end()
    }).catch(() => undefined)
    expect(lines.map((line) => (JSON.parse(line) as BalancerEvent).message)).toEqual(['started', 'listening'])
    await expect.poll(() => listeners.size).toBe(0)
  })
})
