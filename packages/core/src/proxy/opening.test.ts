import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PartedRig, sides, stream } from './parted-rig.test.fixture.js'
import { chunk, delta, done, event, lastChunk, role, streamHead, usage } from './scripted-gateway.test.fixture.js'

let rig: PartedRig

beforeEach(() => {
  rig = new PartedRig()
})

afterEach(() => rig.end())

const ask = () => rig.ask({ stream: true })
const text = async () => (await ask()).text()
const tries = () => expect.poll(() => rig.tries())

/** Says the same word for as long as somebody listens, and counts how often. */
const looping = (word: string, said: { times: number }) => (socket: Socket) => {
  socket.write(streamHead + chunk(role))
  let isHeard = true
  socket.on('close', () => (isHeard = false))
  const say = (): void => {
    if (!isHeard) return
    said.times += 1
    socket.write(chunk(delta(word)))
    setImmediate(say)
  }
  say()
}

describe('the first words of a revision that is tried out', () => {
  it.each([
    ['a word', 'again '],
    ['an exclamation mark', '!'],
    ['a blank line', '\n'],
    ['a few words', 'over and over, '],
  ])('are not shown where they are %s, over and over: the trusted one answers, and the engine is left', async (_, word) => {
    const said = { times: 0 }
    let hasLeft = false
    await rig.both((socket) => {
      socket.on('close', () => (hasLeft = true))
      looping(word, said)(socket)
    })
    expect(await text()).toBe(role + delta('old') + done)
    await tries().toEqual(['p/n1 refused', 'p/n0 answered'])
    await expect.poll(() => hasLeft).toBe(true)
    expect(rig.records[0]?.attempts[0]).toMatchObject({ revision: 'r2', status: 200, reason: 'its answer says the same over and over' })
    expect(rig.records[0]?.attempts[0]?.quality?.isEmpty).toBe(word === '\n')
  })

  it('are a repetition for the judge as they would be at an end', async () => {
    await rig.both(looping('again ', { times: 0 }))
    await text()
    await tries().toHaveLength(2)
    expect(rig.records[0]?.attempts[0]?.quality).toMatchObject({ isRepeating: true, isEmpty: false })
  })

  it('are not shown either where they are all that there is', async () => {
    await rig.both(stream(role, delta('again '.repeat(12)), usage, done))
    expect(await text()).toContain('old')
  })

  it('are passed on in their order once they look like an answer', async () => {
    const words = ['The', ' quick', ' brown', ' fox', ' jumps', ' over', ' the', ' lazy', ' dog']
    const engine = async (socket: Socket): Promise<void> => {
      socket.write(streamHead + chunk(role))
      for (const word of words) {
        socket.write(chunk(delta(word)))
        await new Promise((resolve) => setImmediate(resolve))
      }
      socket.write(chunk(usage) + chunk(done) + lastChunk)
    }
    await rig.both((socket) => void engine(socket))
    expect(await text()).toBe(role + words.map(delta).join('') + done)
    await tries().toEqual(['p/n1 answered'])
  })

  it('are passed on soon, however slowly they come', async () => {
    const begun: Socket[] = []
    await rig.both((socket) => {
      begun.push(socket)
      socket.write(streamHead + chunk(role) + chunk(delta('No')))
    })
    const reader = (await ask()).body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toBe(role + delta('No'))
    for (const socket of begun) socket.write(chunk(done) + lastChunk)
    expect((await reader?.read())?.value).toBe(done)
    await reader?.cancel()
    await tries().toEqual(['p/n1 answered'])
  })

  it.each([
    ['thoughts', event({ choices: [{ index: 0, delta: { reasoning_content: 'Hm' }, finish_reason: null }] })],
    [
      'a call of a tool',
      event({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { name: 'f' } }] }, finish_reason: null }] }),
    ],
    ['a short answer', delta('Yes.')],
  ])('are passed on where they are %s', async (_, first) => {
    await rig.both(stream(role, first, usage, done))
    expect(await text()).toBe(role + first + done)
    await tries().toEqual(['p/n1 answered'])
  })

  describe('where nobody else can answer', () => {
    const loop = stream(role, ...Array.from({ length: 400 }, () => delta('again ')), usage, done)

    it('wait for somebody who can, as any answer that is no good', async () => {
      rig.retryRules = { waitMs: 5_000, loadingMs: 5_000 }
      await rig.fresh(loop)
      await rig.open()
      const asked = text()
      await expect.poll(() => rig.waiting()).toBe(1)
      expect(rig.sentBack).toMatchObject([{ attempts: [{ status: 200, quality: { isRepeating: true } }] }])
      await rig.old()
      rig.proxy?.nodesChanged()
      expect(await asked).toBe(role + delta('old') + done)
    })

    it('are passed on whole when nobody came', async () => {
      await rig.fresh(loop)
      await rig.open()
      expect((await text()).match(/again /g)).toHaveLength(400)
      await tries().toEqual(['p/n0 refused'])
    })

    it('are passed on in their time where they are too much to be held', async () => {
      await rig.fresh(stream(role, ...Array.from({ length: 3_000 }, () => delta('again ')), usage, done))
      await rig.open()
      expect((await text()).match(/again /g)).toHaveLength(3_000)
      await tries().toEqual(['p/n0 answered'])
    })
  })

  it.each([
    ['of the trusted one', () => sides(0)],
    ['where nobody watches', () => sides(1, { watch: false })],
  ])('are nobody\u2019s business %s', async (_, split) => {
    rig.split = split()
    const loop = stream(role, ...Array.from({ length: 40 }, () => delta('again ')), usage, done)
    await rig.old((socket) => void socket.write(loop))
    await rig.fresh(loop)
    await rig.open()
    expect((await text()).match(/again /g)).toHaveLength(40)
    await tries().toHaveLength(1)
  })

  it('leave nothing behind where the client goes meanwhile', async () => {
    const begun: Socket[] = []
    await rig.both((socket) => {
      begun.push(socket)
      socket.write(streamHead + chunk(role) + chunk(delta('ha ha ha ha ha ha ha ha')))
    })
    const leaving = new AbortController()
    const asked = rig.ask({ stream: true }, {}, leaving.signal).catch(() => undefined)
    await expect.poll(() => rig.firstTokens).toBe(1)
    leaving.abort()
    await asked
    await expect.poll(() => rig.records[0]?.outcome).toBe('client-gone')
  })
})
