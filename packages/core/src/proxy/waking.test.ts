import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AbsentNode } from '../contracts/index.js'
import { chunk, delta, done, lastChunk, plainAnswer, Rig, streamHead } from './scripted-gateway.test.fixture.js'

const ok = plainAnswer(200, { choices: [{ message: { content: 'hi' } }] })
const absent = (state: AbsentNode['state'], more: Partial<AbsentNode> = {}): AbsentNode => ({
  id: 'p/n0',
  pool: 'p',
  state,
  reason: null,
  progress: null,
  mayComeBack: false,
  ...more,
})

let rig: Rig

beforeEach(() => {
  rig = new Rig('listen')
  rig.wake = { withinMs: 5_000 }
})

afterEach(() => rig.close())

const inLine = (): number => rig.proxy?.inLine().get('p') ?? 0

async function wakes(answer = ok): Promise<void> {
  rig.absent = []
  await rig.engine((socket) => void socket.write(answer))
  rig.proxy?.nodesChanged()
}

describe('a request for a pool that rests', () => {
  it.each([
    ['has no node at all', []],
    ['has one that is stopped', [absent('stopped')]],
    ['has one that is down for good and one that is stopped', [absent('failed'), absent('stopped', { id: 'p/n1' })]],
  ])('waits for it where it %s, although nothing waits in this pool otherwise', async (_, nodes) => {
    rig.absent = nodes
    await rig.open()
    const asked = rig.ask({})
    await expect.poll(inLine).toBe(1)
    await wakes()
    expect((await asked).status).toBe(200)
    await expect.poll(() => rig.records[0]).toMatchObject({ outcome: 'ok', attempts: [{ outcome: 'answered' }] })
    expect(rig.records[0]?.inLineMs).toBeGreaterThan(0)
  })

  it('tells a client that wants a stream what it waits for, until that is there', async () => {
    rig.heartbeatMs = 30
    await rig.open()
    const response = await rig.ask({ stream: true })
    expect(inLine()).toBe(1)
    await wakes(streamHead + chunk(delta('here') + done) + lastChunk)
    expect(await response.text()).toMatch(/^(?:: waiting for p to wake\n\n)+(?:: lb waits with you\n\n)*data: .*here/s)
  })

  it('tells it soon, however seldom comments are sent otherwise', async () => {
    await rig.open()
    const sinceMs = performance.now()
    const response = await rig.ask({ stream: true })
    expect(performance.now() - sinceMs).toBeLessThan(5_000)
    await wakes(streamHead + chunk(delta('here') + done) + lastChunk)
    expect(await response.text()).toMatch(/^: waiting for p to wake\n\ndata: /)
  })

  it('is refused with what is the matter when it did not come', async () => {
    rig.wake = { withinMs: 60 }
    rig.absent = [absent('loading', { progress: 0.4 })]
    await rig.open()
    const response = await rig.ask({})
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await response.json()).toMatchObject({
      error: { code: 'LB_NOT_AWAKE', message: expect.stringContaining('pool p did not wake within 0.06 s: p/n0 is loading (40 %)') },
    })
    await expect.poll(() => rig.records[0]?.inLineMs).toBeGreaterThanOrEqual(60)
  })

  it('does not wait where nobody can wake it: its nodes are down for good', async () => {
    rig.absent = [absent('failed', { reason: 'failed 5 times' })]
    await rig.open()
    expect(await (await rig.ask({})).json()).toMatchObject({ error: { code: 'LB_NO_READY_NODE' } })
  })

  it('does not wait where nobody wakes it for a while, because it could not be woken', async () => {
    rig.absent = [absent('asleep', { reason: 'could not be woken: out of memory; it is tried again in a while' })]
    await rig.open()
    expect(await (await rig.ask({})).json()).toMatchObject({
      error: { code: 'LB_NO_READY_NODE', message: expect.stringContaining('is asleep (could not be woken: out of memory') },
    })
  })

  it('does not wait where a node is there and cannot take it', async () => {
    await rig.engine((socket) => void socket.write(ok), { labels: { gpu: 'a' } })
    await rig.open()
    expect(await (await rig.ask({}, { 'x-lb-labels': 'gpu=b' })).json()).toMatchObject({ error: { code: 'LB_NO_NODE_WITH_LABELS' } })
  })

  it('is one of as many as may stand in line', async () => {
    rig.line = { max: 1, longestMs: 5_000 }
    await rig.open()
    const asked = rig.ask({})
    await expect.poll(inLine).toBe(1)
    expect(await (await rig.ask({})).json()).toMatchObject({ error: { code: 'LB_LINE_FULL' } })
    await wakes()
    expect((await asked).status).toBe(200)
  })

  it('is refused at once where nobody wakes it: the negative control', async () => {
    rig.wake = undefined
    rig.absent = [absent('stopped')]
    await rig.open()
    expect(await (await rig.ask({})).json()).toMatchObject({ error: { code: 'LB_NO_READY_NODE' } })
    await expect.poll(() => rig.records[0]?.inLineMs).toBe(0)
  })
})
