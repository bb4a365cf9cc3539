import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answer, oops, PartedRig } from './parted-rig.test.fixture.js'

let rig: PartedRig

beforeEach(() => {
  rig = new PartedRig()
  rig.retries = 0
  rig.retryRules = { waitMs: 5_000, loadingMs: 5_000, pause: { firstMs: 5, longestMs: 10 }, budget: { share: 0, floor: 0 } }
})

afterEach(async () => {
  await expect.poll(() => rig.settled).toBe(rig.opened)
  await expect.poll(() => rig.waiting()).toBe(0)
  await rig.close()
})

const waits = (count = 1) => expect.poll(() => rig.waiting()).toBe(count)
const askedAt = (node: number): number => rig.requests[node]?.length ?? 0

async function takenBack(): Promise<void> {
  await rig.old()
  rig.nodes.shift()
  rig.split = undefined
  rig.proxy?.nodesChanged()
}

describe('a place in line', () => {
  const held: Socket[] = []

  /** One request has left the line for the new revision, which says nothing yet. */
  async function outOfLine(): Promise<{ readonly first: Promise<Response> }> {
    held.length = 0
    rig.line = { max: 1, longestMs: 5_000 }
    rig.absent = [{ id: 'p/n9', pool: 'p', state: 'loading', reason: null, progress: null, mayComeBack: true }]
    await rig.open()
    const first = rig.ask({})
    await waits()
    await rig.fresh((socket) => void (held.length === 0 ? held.push(socket) : socket.write(oops)))
    rig.proxy?.nodesChanged()
    await expect.poll(() => held).toHaveLength(1)
    return { first }
  }

  it('is kept for whoever leaves it for a revision that is tried out, until that has answered', async () => {
    const { first } = await outOfLine()
    expect((await rig.ask({})).status).toBe(500)
    held[0]?.write(oops)
    await waits()
    await takenBack()
    expect((await first).status).toBe(200)
  })

  it('is what nobody is sent there without, once all fail', async () => {
    const { first } = await outOfLine()
    for (let turn = 0; turn < 8; turn += 1) expect((await rig.ask({})).status).toBe(500)
    const refused = await rig.ask({})
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'LB_LINE_FULL' } }])
    expect(askedAt(0)).toBe(9)
    held[0]?.write(answer('well again'))
    expect(await (await first).text()).toContain('well again')
    await expect.poll(() => rig.records).toHaveLength(10)
    const next = rig.ask({})
    await waits()
    await takenBack()
    expect((await next).status).toBe(200)
  })
})
