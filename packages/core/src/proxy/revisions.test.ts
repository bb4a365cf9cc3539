import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openaiDialect } from '../dialects/index.js'
import { answer, good, oops, PartedRig, saying, sides, stream } from './parted-rig.test.fixture.js'
import { chunk, delta, done, event, lastChunk, plainAnswer, role, streamHead, usage } from './scripted-gateway.test.fixture.js'

let rig: PartedRig

beforeEach(() => {
  rig = new PartedRig()
})

afterEach(() => rig.end())

const triesAre = (...tries: string[]) => expect.poll(() => rig.tries()).toEqual(tries)

describe('what a revision that is tried out fails at', () => {
  const faults: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['503', (socket) => void socket.write(plainAnswer(503, { error: 'busy' }))],
    ['a bare 500', (socket) => void socket.write(oops)],
    ['404', (socket) => void socket.write(plainAnswer(404, { error: { message: 'The model `m` does not exist' } }))],
    ['400', (socket) => void socket.write(plainAnswer(400, { error: 'context is too small' }))],
    ['429', (socket) => void socket.write(plainAnswer(429, { error: 'later' }))],
    ['its end', (socket) => void socket.destroy()],
    ['half an answer', (socket) => void socket.end(answer('new').slice(0, -5))],
    ['no HTTP', (socket) => void socket.end('SSH-2.0-OpenSSH\r\n\r\n')],
  ]
  const plain: typeof faults = [
    ['an empty answer', (socket) => void socket.write(answer(''))],
    ['an answer that is none', (socket) => void socket.write(plainAnswer(200, {}))],
    ['a loop', (socket) => void socket.write(answer('and on '.repeat(60)))],
  ]
  const streams: typeof faults = [
    ['a stream without content', (socket) => void socket.write(stream(role, usage, done))],
    ['a stream that is cut before its content', (socket) => void socket.end(streamHead + chunk(role))],
    ['a stream that is an error', (socket) => void socket.write(stream(event({ error: { message: 'oops' } }), done))],
  ]

  it.each([...faults, ...plain])('goes back to the trusted one, and no client of a plain request sees it: %s', async (_, fault) => {
    rig.retries = 0
    rig.retryRules = { ...rig.retryRules, budget: { share: 0, floor: 0 } }
    await rig.both(fault)
    const response = await rig.ask({})
    expect([response.status, response.headers.get('x-lb-node')]).toEqual([200, 'p/n0'])
    expect(await response.text()).toContain('old')
    await expect
      .poll(() => rig.records.at(-1))
      .toMatchObject({ outcome: 'ok', attempts: [{ revision: 'r2' }, { revision: 'r1', status: 200, outcome: 'answered' }] })
    expect([rig.proxy?.budgets().get('p')?.spent, rig.sentBack]).toEqual([0, []])
  })

  it.each([...faults, ...streams])('goes back to the trusted one, and no client of a stream sees it: %s', async (_, fault) => {
    rig.retries = 0
    await rig.both(fault)
    expect(await (await rig.ask({ stream: true })).text()).toBe(role + delta('old') + done)
    await expect.poll(() => rig.tries()).toHaveLength(2)
  })

  it('is told to nobody as the failure of a node that it is not: what it answered, it answered', async () => {
    await rig.both(oops)
    await rig.ask({})
    await expect.poll(() => rig.outcomes.map(({ node, kind }) => `${node} ${kind}`)).toEqual(['p/n1 served', 'p/n0 served'])
  })

  it('goes back also where the rollout was taken back meanwhile', async () => {
    const waiting: Socket[] = []
    await rig.both((socket) => void waiting.push(socket))
    const asked = rig.ask({})
    await expect.poll(() => waiting).toHaveLength(1)
    rig.split = undefined
    waiting[0]?.write(oops)
    expect((await asked).headers.get('x-lb-node')).toBe('p/n0')
  })

  it('comes in time also where comments have promised a stream', async () => {
    rig.heartbeatMs = 30
    const waiting: Socket[] = []
    await rig.both((socket) => void waiting.push(socket))
    const response = await rig.ask({ stream: true })
    for (const socket of waiting) socket.write(oops)
    expect(await response.text()).toMatch(/^(?:: lb waits with you\n\n)+data: .*old/s)
  })

  it("is a client's own mistake where the trusted one says so, too: asked twice, and no more", async () => {
    const bad = (who: string) => saying(plainAnswer(400, { error: who }))
    await rig.old(bad('old'))
    for (let node = 0; node < 3; node += 1) await rig.fresh(bad('new'))
    await rig.open()
    const response = await rig.ask({})
    expect([response.status, await response.text()]).toEqual([400, '{"error":"old"}'])
    await expect.poll(() => rig.records.at(-1)).toMatchObject({ outcome: 'client-error', attempts: [{ status: 400 }, { status: 400 }] })
    await triesAre('p/n1 refused', 'p/n0 answered')
  })

  it('is the answer where no trusted node can be asked, and nobody waits', async () => {
    for (let node = 0; node < 2; node += 1) await rig.fresh(oops)
    await rig.open()
    const response = await rig.ask({})
    expect([response.status, await response.text()]).toEqual([500, '{"error":"oops"}'])
    await triesAre('p/n0 refused')
    expect(rig.records[0]).toMatchObject({ outcome: 'engine-error', status: 500 })
  })

  it('is the answer as ever where nobody watches', async () => {
    rig.split = sides(1, { watch: false })
    await rig.both(oops)
    expect((await rig.ask({})).status).toBe(500)
    await triesAre('p/n1 answered')
    expect(rig.records[0]?.attempts[0]).not.toHaveProperty('quality')
  })

  it('moves without a budget once: after that the pool goes by its rules', async () => {
    rig.retries = 1
    await rig.old(saying(plainAnswer(503, { error: 'old' })))
    for (let node = 0; node < 2; node += 1) await rig.fresh((socket) => void socket.destroy())
    await rig.open()
    await rig.ask({})
    await triesAre('p/n1 reset', 'p/n0 refused', 'p/n2 reset')
  })

  it('makes no request one that crashes engines', async () => {
    await rig.both((socket) => void socket.destroy())
    for (let turn = 0; turn < 3; turn += 1) expect((await rig.ask({})).status).toBe(200)
    expect(rig.deskWords).toEqual([])
  })
})

describe('answers of a pool that is watched', () => {
  const qualityOf = (at: number) => rig.records[at]?.attempts[0]?.quality

  it('are recorded with what they were like, for both revisions', async () => {
    rig.split = sides(0.5)
    await rig.both(answer('{"a"'))
    const ask = { response_format: { type: 'json_object' } }
    for (let turn = 0; turn < 12; turn += 1) await (await rig.ask(ask)).text()
    await expect.poll(() => rig.records).toHaveLength(12)
    const seen = rig.records.flatMap(({ attempts }) =>
      attempts.map(({ revision, outcome, quality }) => `${revision} ${outcome} ${quality?.chars} ${quality?.isMalformed}`),
    )
    expect(new Set(seen)).toEqual(new Set(['r2 refused 4 true', 'r1 answered 3 true']))
  })

  it('are recorded likewise of nodes that were there before anybody spoke of revisions', async () => {
    await rig.engine(good)
    await rig.open()
    await (await rig.ask({})).text()
    await expect.poll(() => rig.records[0]?.attempts).toMatchObject([{ revision: 'r1', status: 200, quality: { chars: 3 } }])
  })

  it('are looked at also where whole frames of a stream pass as they came', async () => {
    const engine = async (socket: Socket): Promise<void> => {
      socket.write(streamHead + chunk(role) + chunk(delta('Nothing is wrong with this one')))
      for (let at = 0; at < 40; at += 1) {
        socket.write(chunk(delta(' again')))
        await new Promise((resolve) => setImmediate(resolve))
      }
      socket.write(chunk(usage) + chunk(done) + lastChunk)
    }
    await rig.both((socket) => void engine(socket))
    expect((await (await rig.ask({ stream: true })).text()).match(/ again/g)).toHaveLength(40)
    await expect.poll(() => qualityOf(0)).toEqual({ chars: 270, isEmpty: false, isRepeating: true })
  })

  it('are looked at in streams, whose client does not notice', async () => {
    await rig.both(stream(role, delta('so '), ...Array.from({ length: 80 }, () => delta('on ')), usage, done))
    expect(await (await rig.ask({ stream: true })).text()).toContain('so ')
    await triesAre('p/n1 answered')
    expect(qualityOf(0)).toMatchObject({ chars: 243, isRepeating: true, isEmpty: false })
  })
})

describe('where requests of a pool with several revisions go', () => {
  it('follows their shares, and the sessions keep to their side', async () => {
    rig.split = sides(0.3, { watch: false })
    await rig.both(answer('new'))
    const nodeOf = async (session: string) => (await rig.ask({}, { 'x-session-id': session })).headers.get('x-lb-node')
    const all = () => Promise.all(Array.from({ length: 60 }, (_, at) => nodeOf(`s${at}`)))
    const first = await all()
    const share = first.filter((node) => node === 'p/n1').length / 60
    expect(share).toBeGreaterThan(0.15)
    expect(share).toBeLessThan(0.45)
    expect(await all()).toEqual(first)
  })

  it('is told to whoever asks why', async () => {
    await rig.both(answer('new'))
    await rig.ask({}, { 'x-lb-trace': '1' })
    expect(rig.decisions[0]).toMatchObject({
      choice: 'p/n1',
      leftOut: [{ node: 'p/n0', filter: 'revision', reason: 'runs r1; the request belongs to r2' }],
    })
  })

  it('is never a revision without a share, unless a header names it', async () => {
    rig.split = sides(0, { watch: false, header: { name: 'x-try', values: { yes: 'r2' } } })
    await rig.fresh(good)
    await rig.open()
    const refused = await rig.ask({})
    expect([refused.status, await refused.text()]).toEqual([503, expect.stringContaining('p/n0 runs r2, which answers nobody yet')])
    expect((await rig.ask({}, { 'x-try': 'yes' })).status).toBe(200)
  })

  it('is another revision where the wanted one has no node', async () => {
    await rig.old()
    await rig.open()
    expect((await rig.ask({})).status).toBe(200)
  })

  it('is the trusted one where the strategy wants no node of the other now: nobody waits for a slow revision', async () => {
    rig.strategy = { pick: (_, nodes) => nodes.findIndex(({ id }) => id === 'p/n0') }
    await rig.both(answer('new'))
    expect((await rig.ask({})).headers.get('x-lb-node')).toBe('p/n0')
    await triesAre('p/n0 answered')
    expect(rig.records[0]?.inLineMs).toBe(0)
  })

  it('goes by the shares of the moment for those that have waited', async () => {
    rig.split = undefined
    rig.retryRules = { ...rig.retryRules, waitMs: 5_000 }
    rig.absent = [{ id: 'p/n9', pool: 'p', state: 'loading', reason: null, progress: null, mayComeBack: true }]
    await rig.open()
    const asked = rig.ask({})
    await expect.poll(() => rig.waiting()).toBe(1)
    rig.split = sides(0, { watch: false })
    await rig.fresh(answer('new'))
    rig.proxy?.nodesChanged()
    await rig.old()
    rig.proxy?.nodesChanged()
    expect((await asked).headers.get('x-lb-node')).toBe('p/n1')
  })
})

describe('a stream that a revision which is tried out has begun', () => {
  const dialect = openaiDialect({ continuation: { text: { 'openai-chat': {} } } })
  const goesOn = (socket: Socket, request: string): void =>
    void socket.write(stream(role, delta(request.includes('assistant') ? ' and on' : 'no'), usage, done))
  const cut = (socket: Socket): void => void socket.end(streamHead + chunk(delta('This goes on and is then cut')))
  const ask = () => rig.ask({ stream: true, messages: [{ role: 'user', content: 'go' }] })
  const isGoneOnWith = async (asked = ask()): Promise<void> => {
    expect(await (await asked).text()).toMatch(/"This goes on.*" and on".*\[DONE\]/s)
    await triesAre('p/n1 cut', 'p/n0 answered')
  }

  it('is gone on with by the trusted one where both load the same', async () => {
    rig.retries = 0
    rig.sameWeights()
    await rig.old(goesOn, { dialect })
    await rig.fresh(cut, { dialect })
    await rig.open()
    await isGoneOnWith()
  })

  it('is gone on with also where it was taken back meanwhile, and nodes say nothing of revisions any more', async () => {
    const begun: Socket[] = []
    rig.sameWeights()
    await rig.engine(goesOn, { dialect })
    await rig.fresh((socket) => void begun.push(socket), { dialect })
    await rig.open()
    const asked = ask()
    await expect.poll(() => begun).toHaveLength(1)
    rig.split = undefined
    for (const socket of begun) cut(socket)
    await isGoneOnWith(asked)
  })

  it('is gone on with also where it ends in an error of its engine', async () => {
    rig.sameWeights()
    await rig.old(goesOn, { dialect })
    await rig.fresh(stream(delta('This goes on and then fails'), event({ error: { message: 'oops' } })), { dialect })
    await rig.open()
    await isGoneOnWith()
  })

  it('ends in an error where only another model could go on', async () => {
    await rig.old(goesOn, { dialect })
    await rig.fresh(cut, { dialect })
    rig.weights = new Map([
      ['r1', 'a'],
      ['r2', 'b'],
    ])
    await rig.open()
    expect(await (await ask()).text()).toMatch(/"This goes on.*LB_STREAM_CUT/s)
    await triesAre('p/n1 cut')
  })
})
