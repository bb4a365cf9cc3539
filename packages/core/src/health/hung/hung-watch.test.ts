import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HonestNode, type Machine, type SceneRequest } from './honest-node.test.fixture.js'

const fast: Machine = { slots: 64, promptTokenMs: 0.1, answerTokenMs: 8, tellsCached: true }
const slow: Machine = { slots: 1, promptTokenMs: 20, answerTokenMs: 120, tellsCached: true }
const stream = (promptTokens: number, answerTokens = 50): SceneRequest => ({ atMs: 0, promptTokens, answerTokens, stream: true })
const plain = (promptTokens: number, answerTokens = 50): SceneRequest => ({ atMs: 0, promptTokens, answerTokens, stream: false })

/** A node that has answered a few requests of the usual kind. */
function known(machine: Machine, usual: SceneRequest = stream(300), count = 12): HonestNode {
  const node = new HonestNode(machine)
  for (let sent = 0; sent < count; sent += 1) {
    node.send(usual)
    node.pass(120_000)
  }
  expect([node.answered, node.verdict.kind]).toEqual([count, 'well'])
  return node
}

const requests = fc.array(
  fc.record({
    atMs: fc.integer({ min: 0, max: 600_000 }),
    promptTokens: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 500, max: 32_000 })),
    answerTokens: fc.integer({ min: 1, max: 800 }),
    stream: fc.boolean(),
  }),
  { minLength: 1, maxLength: 25 },
)
/** From an accelerator to a processor that reads 30 tokens a second; to write one takes at least twice as long as to read one. */
const machines = fc
  .record({
    slots: fc.integer({ min: 1, max: 8 }),
    promptTokenMs: fc.double({ min: 0.05, max: 30, noNaN: true }),
    writing: fc.double({ min: 2, max: 100, noNaN: true }),
    tellsCached: fc.boolean(),
  })
  .map(({ writing, ...machine }) => ({ ...machine, answerTokenMs: Math.min(200, machine.promptTokenMs * writing) }))

describe('a node that works', () => {
  it('is never called hung, however slow the machine and however long prompts and answers are', () => {
    fc.assert(
      fc.property(machines, requests, fc.boolean(), (machine, scene, isOurs) => {
        const node = new HonestNode(machine)
        node.isOurs = isOurs
        for (const request of scene.toSorted((a, b) => a.atMs - b.atMs)) {
          node.pass(Math.max(0, request.atMs - node.nowMs))
          node.send(request)
        }
        while (node.inFlight > 0 && node.verdict.kind !== 'hung') node.pass(60_000)
        expect(node.verdict).not.toHaveProperty('kind', 'hung')
        expect(node.answered).toBe(scene.length)
      }),
      { numRuns: 150, endOnFailure: true },
    )
  })

  it('may read a prompt of 30,000 tokens for minutes on a processor while its health answers', () => {
    const node = known(slow, stream(400))
    node.send(stream(30_000))
    node.pass(1_600_000)
    expect([node.verdict.kind, node.answered]).toEqual(['well', 13])
  })

  it('may do so as its first request, too', () => {
    const node = new HonestNode(slow)
    node.isOurs = false
    node.send(stream(30_000))
    node.pass(1_600_000)
    expect([node.verdict.kind, node.answered]).toEqual(['well', 1])
  })

  it('may write a plain answer of thousands of tokens without a word', () => {
    const node = known(slow, plain(40, 60))
    node.send(plain(40, 4_000))
    node.pass(4_000 * 120 + 60_000)
    expect([node.verdict.kind, node.answered]).toEqual(['well', 13])
  })

  it('may answer no probe while its processor works on a long prompt', () => {
    const node = known(slow)
    node.process = 'works'
    node.unanswered = 40
    node.send(stream(8_000))
    node.pass(300_000)
    expect([node.verdict.kind, node.answered]).toEqual(['well', 13])
  })

  it('is not blamed for clients that leave long before their prompts are read', () => {
    const node = known(slow)
    for (let asked = 0; asked < 50; asked += 1) {
      node.send({ ...stream(3_000), leavesAfterMs: 5_000 })
      node.pass(7_000)
    }
    expect(node.verdict.kind).not.toBe('hung')
  })

  it('is not blamed for a pause of ours: what came meanwhile may lie unread', () => {
    const node = known(fast)
    for (let sent = 0; sent < 5; sent += 1) node.send(stream(300))
    node.frozen = true
    node.pass(1_000)
    node.nowMs += 3_600_000
    expect(node.pass(500).kind).toBe('well')
  })

  it('that pauses again and again and comes back is known to do so', () => {
    const node = known(fast)
    for (let pause = 0; pause < 3; pause += 1) {
      for (let sent = 0; sent < 5; sent += 1) node.send(stream(300))
      node.frozen = true
      node.pass(6_000)
      node.frozen = false
      node.pass(5_000)
    }
    for (let sent = 0; sent < 5; sent += 1) node.send(stream(300))
    node.frozen = true
    expect(node.pass(10_000).kind).not.toBe('hung')
    expect(node.pass(30_000).kind).toBe('hung')
  })
})

describe('a node that hangs', () => {
  const untilHung = (node: HonestNode): number => {
    const fromMs = node.nowMs
    node.frozen = true
    node.pass(600_000)
    expect(node.verdict.kind).toBe('hung')
    return node.nowMs - fromMs
  }

  it('is found within 10 s, whether it had streams or plain answers', () => {
    for (const usual of [stream(300), { ...plain(60, 40), maxTokens: 40 }]) {
      const node = known(fast, usual)
      for (let sent = 0; sent < 40; sent += 1) node.send(usual)
      node.pass(500)
      for (let sent = 0; sent < 40; sent += 1) node.send(usual)
      expect(untilHung(node)).toBeLessThan(10_000)
    }
  })

  it('is found with a single request, too, where nobody else can have given it work', () => {
    const node = known(fast)
    node.send(stream(300))
    expect(untilHung(node)).toBeLessThan(10_000)
    expect(node.verdict).toMatchObject({
      why: expect.stringMatching(/^no token for 8\.\d s with 1 request in flight, although its probes are good$/u),
    })
  })

  it('is given four times as long with a single request where others may use it', () => {
    const node = known(fast)
    node.isOurs = false
    node.send(stream(300))
    const tookMs = untilHung(node)
    expect(tookMs).toBeGreaterThan(30_000)
    expect(tookMs).toBeLessThan(34_000)
  })

  it('is found however long it worked honestly before, within a multiple of what its work would take', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30_000 }), fc.integer({ min: 3, max: 30 }), (promptTokens, count) => {
        const node = known(fast, stream(promptTokens), 5)
        for (let sent = 0; sent < count; sent += 1) node.send(stream(promptTokens))
        const expectedMs = 20 + promptTokens * 0.1 * (1 + promptTokens / 20_000)
        expect(untilHung(node)).toBeLessThanOrEqual(2_000 + Math.max(8_000, 1_000 + 4 * (expectedMs + 500)))
      }),
      { numRuns: 40 },
    )
  })

  it('is found at once when its process is stopped', () => {
    const node = known(slow)
    node.send(stream(9_000))
    node.process = 'stopped'
    expect(untilHung(node)).toBeLessThan(2_600)
    expect(node.verdict).toMatchObject({ why: 'its process is stopped, with 1 request in flight' })
  })

  it('is found sooner when it does not answer its probes either, whatever work would explain', () => {
    const node = known(slow)
    node.isOurs = false
    for (let sent = 0; sent < 5; sent += 1) node.send(stream(30_000))
    node.frozen = true
    node.pass(5_000)
    node.unanswered = 2
    const fromMs = node.nowMs
    expect(untilHung(node)).toBeLessThan(5_000)
    expect(node.nowMs - fromMs).toBeGreaterThan(2_000)
  })

  it('is found although each of its clients leaves after five seconds', () => {
    const node = known(fast)
    node.frozen = true
    for (let asked = 0; asked < 6 && node.verdict.kind !== 'hung'; asked += 1) {
      node.send({ ...stream(300), leavesAfterMs: 5_000 })
      node.pass(6_000)
    }
    expect(node.verdict.kind).toBe('hung')
  })

  it('begins a new life without a record', () => {
    const node = known(fast)
    for (let sent = 0; sent < 5; sent += 1) node.send(stream(300))
    node.frozen = true
    expect(node.pass(7_000).kind).toBe('doubted')
    expect(node.watch.look({ ...node.signs, life: 2 }, { afterMs: 8_000 }, node.nowMs + 250).kind).toBe('well')
  })
})
