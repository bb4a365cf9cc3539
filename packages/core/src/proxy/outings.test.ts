import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { answer, oops, WaitingRig } from './parted-rig.test.fixture.js'

let rig: WaitingRig
beforeEach(() => void (rig = new WaitingRig()))
afterEach(() => rig.end())

describe('a place in line', () => {
  const held: Socket[] = []

  /** One request has left the line for the new revision, which says nothing yet. */
  async function outOfLine(): Promise<{ readonly first: Promise<Response> }> {
    held.length = 0
    rig.line = { max: 1, longestMs: 5_000 }
    rig.absent = [{ id: 'p/n9', pool: 'p', state: 'loading', reason: null, progress: null, mayComeBack: true }]
    await rig.open()
    const first = rig.ask({})
    await rig.waits()
    await rig.fresh((socket) => void (held.length === 0 ? held.push(socket) : socket.write(oops)))
    rig.proxy?.nodesChanged()
    await expect.poll(() => held).toHaveLength(1)
    return { first }
  }

  it('is kept for whoever leaves it for a revision that is tried out, until that has answered', async () => {
    const { first } = await outOfLine()
    expect((await rig.ask({})).status).toBe(500)
    held[0]?.write(oops)
    await rig.waits()
    await rig.takenBack()
    expect((await first).status).toBe(200)
  })

  it('is what nobody is sent there without, once all fail', async () => {
    const { first } = await outOfLine()
    for (let turn = 0; turn < 8; turn += 1) expect((await rig.ask({})).status).toBe(500)
    const refused = await rig.ask({})
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'LB_LINE_FULL' } }])
    expect(rig.askedAt(0)).toBe(9)
    held[0]?.write(answer('well again'))
    expect(await (await first).text()).toContain('well again')
    await expect.poll(() => rig.records).toHaveLength(10)
    const next = rig.ask({})
    await rig.waits()
    await rig.takenBack()
    expect((await next).status).toBe(200)
  })
})
