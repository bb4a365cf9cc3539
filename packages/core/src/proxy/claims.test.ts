import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../base/index.js'
import { chunk, delta, done, doorNames, lastChunk, plainAnswer, Rig, streamHead, usage } from './scripted-gateway.test.fixture.js'

/** How far an engine goes with a request; then it hangs, or dies. */
const goes: Readonly<Record<string, (socket: Socket) => void>> = {
  'says nothing': () => undefined,
  'says its head': (socket) => void socket.write(streamHead),
  'says content': (socket) => void socket.write(streamHead + chunk(delta('a')) + chunk(delta('b'))),
  'says half a plain answer': (socket) =>
    void socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"choices'),
  refuses: (socket) => void socket.write(plainAnswer(503, { error: 'busy' })),
  'dies at once': (socket) => void socket.destroy(),
  'dies after its head': (socket) => void socket.end(streamHead),
  'dies in mid-stream': (socket) => void socket.end(streamHead + chunk(delta('a'))),
  answers: (socket) => void socket.write(streamHead + chunk(delta('a')) + chunk(delta('b')) + chunk(usage) + chunk(done) + lastChunk),
}
const hangs = new Set(['says nothing', 'says its head', 'says content', 'says half a plain answer'])

describe.each(doorNames)('claims on nodes through the %s door', (door) => {
  let rig: Rig

  beforeEach(() => {
    rig = new Rig(door)
  })

  afterEach(() => rig.close())

  /** What is counted at each node, and promised to be in its cache without being there. */
  function left(): number[] {
    return rig.nodes.flatMap((node) => {
      const { inFlight, waiting, tokensInFlight, prefillTokens, headPrefillTokens, kvTokens } = rig.view.of(node)
      return [inFlight, waiting, tokensInFlight, prefillTokens, headPrefillTokens, kvTokens]
    })
  }

  async function engines(count: number): Promise<void> {
    for (let engine = 0; engine < count; engine += 1)
      await rig.engine((socket, request) => goes[/engine (.+?)\./.exec(request)?.[1] ?? '']?.(socket))
  }

  const story = (how: string) => ({
    stream: true,
    messages: [{ role: 'user', content: `The engine ${how}. ${'It was a long night at the light. '.repeat(30)}` }],
  })

  it.each(Object.keys(goes))('are given back when an engine %s and the client leaves', async (how) => {
    await engines(1)
    rig.retries = 0
    await rig.open()
    const leaving = new AbortController()
    const asked = rig.ask(story(how), {}, leaving.signal).then(
      (response) => response.text().catch(() => 'cut'),
      () => 'gone',
    )
    await expect.poll(() => rig.opened, { interval: 2 }).toBe(1)
    if (hangs.has(how)) {
      await expect.poll(() => rig.requests[0]?.length, { interval: 2 }).toBe(1)
      if (how === 'says content') await expect.poll(() => rig.firstTokens, { interval: 2 }).toBe(1)
      expect(left()[0]).toBe(1)
      expect(left()[2]).toBeGreaterThan(100)
      leaving.abort()
    }
    await asked
    await expect.poll(() => rig.settled, { interval: 2 }).toBe(rig.opened)
    expect(left()).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('are given back of a hundred requests at once, whose engines and clients leave in every stage', async () => {
    await engines(3)
    // However slow the machine: those that hang do so until their clients leave.
    rig.timeouts = { firstTokenMs: 60_000, idleMs: 60_000 }
    const random = seededRandom(11)
    rig.strategy = { pick: (_facts, candidates) => Math.floor(random.next() * candidates.length) }
    await rig.open()
    const ways = Object.keys(goes)
    const leaving = new AbortController()
    const patient: Promise<unknown>[] = []
    const impatient: Promise<unknown>[] = []
    for (let request = 0; request < 100; request += 1) {
      const how = ways[Math.floor(random.next() * ways.length)] ?? 'answers'
      const asked = rig
        .ask(story(how), {}, leaving.signal)
        .then((response) => response.text())
        .catch(() => 'gone')
      ;(hangs.has(how) ? impatient : patient).push(asked)
    }
    await Promise.all(patient)
    await expect.poll(() => rig.opened - rig.settled, { interval: 5 }).toBe(impatient.length)
    leaving.abort()
    await Promise.all(impatient)
    await expect.poll(() => rig.settled, { interval: 5 }).toBe(rig.opened)
    expect(left()).toEqual(rig.nodes.flatMap(() => [0, 0, 0, 0, 0, 0]))
  })
})
