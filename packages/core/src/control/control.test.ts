import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ScaleStatus } from '../autoscale/index.js'
import { silentLogger } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { ResidencyStatus } from '../residency/index.js'
import type { JudgeReport, RolloutStatus } from '../rollout/index.js'
import { TopologyErrors, type Topology } from '../topology/index.js'
import type { ControlActions } from './actions.js'
import type { NodeModels } from './models.js'
import { controlOpenApi } from './openapi.js'
import { createControlServer, type ControlServer } from './server.js'
import type { BalancerEvent, BalancerStatus } from './status.js'

/** Of routes that take nothing without one. */
const bodies: Readonly<Record<string, string>> = {
  '/v1/rollouts': '{"pool":"demo","model":"m"}',
  '/v1/pools/{pool}/scale': '{"replicas":2}',
}

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
const rollout = { id: 'demo-1', pool: 'demo', phase: 'holding' } as unknown as RolloutStatus
const scale = { pool: 'demo', group: 'sim', replicas: 2, wanted: 3 } as unknown as ScaleStatus
const rest = { pool: 'demo', state: 'resting' } as unknown as ResidencyStatus
const report: JudgeReport = { verdict: 'good', reason: null, canaryRequests: 1, baselineRequests: 2, figures: [] }
const topology = { name: 'demo', pools: [] } as unknown as Topology
const status = { name: 'demo', pools: [] } as unknown as BalancerStatus

function actions(): ControlActions {
  const node = (verb: string) => (id: string) => {
    if (id !== 'demo/sim-0')
      throw new LbError(`no node ${id}`, { code: 'LB_UNKNOWN_NODE', source: 'operator', httpStatus: 404, hint: 'lb nodes list' })
    asked.push(`${verb} ${id}`)
  }
  return {
    status: () => status,
    topologies: () => ({ declared: topology, running: topology }),
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
    rollouts: (pool) => (pool === 'idle' ? [] : [rollout]),
    startRollout: (wish) => (asked.push(`start ${JSON.stringify(wish)}`), Promise.resolve(rollout)),
    actOnRollout: (pool, verb) => (asked.push(`${verb} ${pool}`), Promise.resolve(rollout)),
    compareRollout: () => report,
    revisions: (pool) => (asked.push(`revisions ${pool}`), []),
    scale: (pool, replicas, group) => (asked.push(`scale ${pool} ${replicas} ${group ?? '-'}`), Promise.resolve(scale)),
    scales: () => [scale],
    unload: (pool) => (asked.push(`unload ${pool}`), Promise.resolve(rest)),
    residency: () => [rest],
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
          (await call('POST', path.replace('{pool}', 'demo').replace('{node}', 'sim-0').replace('{fingerprint}', 'abcd'), bodies[path]))
            .status,
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

  it('begins a rollout as it was wished, and hands on what people decide', async () => {
    const wish = { pool: 'demo', set: { 'launch.args.maxModelLen': 4096 }, plan: { kind: 'canary', steps: [0.05, 1], rollback: 'ask' } }
    const begun = await call('POST', '/v1/rollouts', JSON.stringify(wish))
    expect([begun.status, JSON.parse(begun.text)]).toEqual([200, rollout])
    for (const verb of ['promote', 'pause', 'resume', 'abort', 'undo']) await call('POST', `/v1/rollouts/my%20pool/${verb}`)
    const decided = ['promote', 'pause', 'resume', 'abort', 'undo'].map((verb) => `${verb} my pool`)
    expect(asked).toEqual([`start ${JSON.stringify(wish)}`, ...decided])
  })

  it.each([
    ['{"model":"m"}', 'the body lacks `pool`'],
    ['{"pool":"demo"}', 'the body says no change: one of `model`, `set`, `groups`, `to`, `revision` and `revisions` must be there'],
    ['{"pool":7,"model":"m"}', 'pool must be a string, not 7'],
    [
      '{"pool":"demo","modell":"m"}',
      'the body has no `modell`; it may have pool, group, model, set, groups, to, revision, revisions, plan',
    ],
    ['{"pool":"demo","model":"m","__proto__":{"x":1}}', 'the body has no `__proto__`'],
    ['{"pool":"demo","model":"m","constructor":1}', 'the body has no `constructor`'],
    ['{"pool":"demo","model":""}', 'model must not be empty'],
    ['{"pool":"demo","model":"a\\u0000b"}', 'model must look like'],
    ['{"pool":"demo","revision":"../r1"}', 'revision must look like ^r[0-9]{1,9}$, not "../r1"'],
    ['{"pool":"demo","set":[]}', 'set must be a JSON object, not a list'],
    ['{"pool":"demo","groups":[]}', 'groups must have at least 1'],
    ['{"pool":"demo","groups":[null]}', 'groups[0] must be a JSON object, not null'],
    ['{"pool":"demo","groups":[{"name":"a","engine":"sim","weight":1}]}', 'groups[0] must have exactly one of launch, attach and source'],
    ['{"pool":"demo","groups":[{"name":"a","engine":"sim","weight":-1}]}', 'groups[0].weight must be from 0 to 1000000, not -1'],
    ['{"pool":"demo","model":"m","plan":{"kind":"big-bang"}}', 'plan.kind must be one of rolling, canary, blue-green'],
    ['{"pool":"demo","model":"m","plan":{"steps":[0.5,0.2]}}', 'plan.steps[1] must be more than the step before it'],
    ['{"pool":"demo","model":"m","plan":{"steps":[50]}}', 'plan.steps[0] must be from 0 to 1, not 50'],
    ['{"pool":"demo","model":"m","plan":{"judge":{"errorRate":"1%"}}}', 'plan.judge.errorRate must be a number, not "1%"'],
    ['[]', 'the body must be a JSON object, not a list'],
  ])('refuses the wish %s and says what is wrong with it', async (body, message) => {
    const { status: code, text } = await call('POST', '/v1/rollouts', body)
    expect(code).toBe(400)
    expect(JSON.parse(text)).toMatchObject({
      error: { code: 'LB_BAD_CONTROL_REQUEST', message: expect.stringContaining(message) as string },
    })
    expect(asked).toEqual([])
  })

  it('tells of the rollout of a pool, and that there was none', async () => {
    expect(JSON.parse((await call('GET', '/v1/rollouts')).text)).toEqual({ rollouts: [rollout] })
    expect(JSON.parse((await call('GET', '/v1/rollouts/demo')).text)).toEqual(rollout)
    expect(JSON.parse((await call('GET', '/v1/rollouts/demo/compare')).text)).toEqual(report)
    const none = await call('GET', '/v1/rollouts/idle')
    expect([none.status, none.text]).toEqual([404, expect.stringContaining('LB_NO_ROLLOUT')])
  })

  it('tells every mistake of a topology that a wish would make', async () => {
    const problem = { file: 'topology', line: 0, column: 0, width: 1, keyPath: 'launch.args.x', message: 'no such key' }
    await server.close()
    server = createControlServer({
      actions: { ...actions(), startRollout: () => Promise.reject(new TopologyErrors([problem], undefined)) },
      log: silentLogger,
    })
    await server.listen(socketPath)
    const { status: code, text } = await call('POST', '/v1/rollouts', '{"pool":"demo","set":{"launch.args.x":1}}')
    expect([code, JSON.parse(text)]).toMatchObject([400, { error: { code: 'LB_TOPOLOGY_INVALID', problems: [problem] } }])
  })

  it('scales and puts to rest', async () => {
    expect(JSON.parse((await call('POST', '/v1/pools/demo/scale', '{"replicas":3,"group":"gpu"}')).text)).toEqual(scale)
    for (const body of ['{}', '{"replicas":-1}', '{"replicas":1.5}', '{"replicas":"3"}', '{"replicas":3,"pool":"x"}'])
      expect((await call('POST', '/v1/pools/demo/scale', body)).status, body).toBe(400)
    expect(JSON.parse((await call('POST', '/v1/pools/demo/unload')).text)).toEqual(rest)
    expect(asked).toEqual(['scale demo 3 gpu', 'unload demo'])
    expect(JSON.parse((await call('GET', '/v1/scale')).text)).toEqual({ groups: [scale] })
    expect(JSON.parse((await call('GET', '/v1/residency')).text)).toEqual({ pools: [rest] })
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
