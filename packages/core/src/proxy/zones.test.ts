import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chunk, delta, done, lastChunk, Rig, streamHead } from './scripted-gateway.test.fixture.js'
import { WaitModel } from './wait-model.js'

const whole = streamHead + chunk(delta('x') + done) + lastChunk

let rig: Rig
let held: Socket[]

beforeEach(() => {
  held = []
  rig = new Rig('listen')
  rig.zone = 'here'
  // The least prefill ahead.
  rig.strategy = {
    pick(_, nodes) {
      const ahead = nodes.map((node) => rig.view.of(node).prefillTokens)
      return ahead.indexOf(Math.min(...ahead))
    },
  }
})

afterEach(() => rig.close())

/** Engines that hold what says `hold`. */
const engine = (more: Parameters<Rig['engine']>[1]) =>
  rig.engine((socket, request) => void (request.includes('"hold"') ? held.push(socket) : socket.write(whole)), more)

async function nodeOf(headers: Record<string, string> = {}): Promise<string | null> {
  const answer = await rig.ask({ stream: true }, headers)
  await answer.text()
  return answer.headers.get('x-lb-node')
}

/** Keeps a node busy with so many tokens of prefill, more or less. */
async function holdWith(tokens: number): Promise<void> {
  const before = held.length
  void rig
    .ask({ stream: true, user: 'hold', messages: [{ role: 'user', content: 'x'.repeat(tokens * 4) }] })
    .then((answer) => answer.text())
  await expect.poll(() => held.length).toBe(before + 1)
}

describe('nodes in several zones', () => {
  it('of which the nearest are enough: the others are not even shown to the strategy', async () => {
    await engine({ zone: 'there', roundTripMs: 60 })
    await engine({ zone: 'here', roundTripMs: 1 })
    await engine({ roundTripMs: 1 })
    await rig.open()
    for (let index = 0; index < 5; index += 1) expect(await nodeOf({ 'x-lb-trace': '1' })).not.toBe('p/n0')
    expect(rig.decisions[0]?.leftOut).toEqual([
      { node: 'p/n0', filter: 'zone', reason: 'stands in zone there, 60 ms away; a nearer node will be sooner' },
    ])
    expect(rig.decisions[0]?.candidates.map(({ zone }) => zone)).toEqual(['here', null])
  })

  it('serve from afar once the wait here is longer than the way there', async () => {
    await engine({ zone: 'here', roundTripMs: 1 })
    await engine({ zone: 'there', roundTripMs: 60 })
    await rig.open()
    await holdWith(200)
    expect(await nodeOf()).toBe('p/n0')
    await holdWith(2_000)
    expect(await nodeOf()).toBe('p/n1')
    for (const socket of held) socket.write(whole)
    await expect.poll(() => rig.records).toHaveLength(4)
    expect(await nodeOf()).toBe('p/n0')
  })

  it('are judged by how much farther they are: what a probe costs beside the way is the same everywhere', async () => {
    await engine({ zone: 'here', roundTripMs: 58 })
    await engine({ zone: 'there', roundTripMs: 60 })
    await rig.open()
    expect(await nodeOf()).toBe('p/n0')
    await holdWith(200)
    expect(await nodeOf()).toBe('p/n1')
    for (const socket of held) socket.write(whole)
    await expect.poll(() => rig.records).toHaveLength(3)
  })

  it('are taken by distance where none is here', async () => {
    await engine({ zone: 'far', roundTripMs: 90 })
    await engine({ zone: 'near', roundTripMs: 5 })
    await rig.open()
    for (let index = 0; index < 3; index += 1) expect(await nodeOf()).toBe('p/n1')
  })

  it('are all the same to a gateway that stands nowhere', async () => {
    rig.zone = undefined
    await engine({ zone: 'there', roundTripMs: 60 })
    await engine({ zone: 'here', roundTripMs: 1 })
    await rig.open()
    expect(await nodeOf()).toBe('p/n0')
  })
})

describe('the predicted wait', () => {
  it('is a line through what was measured, without what every request costs alike', () => {
    const model = new WaitModel()
    expect(model.waitMs(1_000)).toBeCloseTo(100)
    for (let index = 0; index < 50; index += 1) model.learn(index * 100, 40 + index * 100 * 0.03)
    expect(model.waitMs(1_000)).toBeCloseTo(30)
  })

  it('follows an engine that became slower', () => {
    const model = new WaitModel()
    for (let index = 0; index < 100; index += 1) model.learn((index % 10) * 100, (index % 10) * 3)
    for (let index = 0; index < 300; index += 1) model.learn((index % 10) * 100, (index % 10) * 12)
    expect(model.waitMs(1_000)).toBeCloseTo(120, 0)
  })

  it('stays sane where all prompts are alike, and where longer ones were sooner', () => {
    const model = new WaitModel()
    for (let index = 0; index < 20; index += 1) model.learn(500, 70)
    expect(model.waitMs(500)).toBeCloseTo(50)
    for (let index = 0; index < 50; index += 1) model.learn(index * 10, 1_000 - index * 10)
    expect(model.waitMs(500)).toBe(0)
  })

  it('counts the wait for a slot', () => {
    const model = new WaitModel()
    model.learnService(1_000)
    expect(model.slotWaitMs(4, 3)).toBe(0)
    expect(model.slotWaitMs(4, 4)).toBe(250)
    expect(model.slotWaitMs(4, 7)).toBe(1_000)
  })
})
