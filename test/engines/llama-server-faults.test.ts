/** Real llama-servers that die, are drained and restarted, and an `lb` that is killed over them. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, until } from '../e2e/house.js'
import { Figures, timed } from './figures.js'
import { busySlots, llamaTopology, nodeRows, nodeUrls } from './llama-nodes.js'
import { namedEngine } from './named-engine.js'
import { descendantsOf } from './processes.js'
import { makeModel } from './random-models.js'
import { ask, askPlain, readStream } from './requests.js'

const command = namedEngine('LB_TEST_LLAMA_SERVER')

describe.skipIf(command === undefined)('two real llama-servers in trouble', () => {
  let house: House
  const figures = new Figures()
  let url: string

  beforeAll(async () => {
    house = new House()
    const model = makeModel('gguf', join(house.cwd, 'tiny.gguf'))
    house.write('lb.yaml', llamaTopology({ command: command ?? '', model }))
    url = await house.up()
  })

  afterAll(async () => {
    await house.lb(['down', '--force'])
    expect(house.survivors()).toEqual([])
    await house.close()
    figures.print()
  })

  const row = async (index: number) => {
    const found = (await nodeRows(house))[index]
    if (found === undefined) throw new Error('no such node')
    return found
  }
  /** A stream that has begun, and the index of its node. */
  const startStream = async (maxTokens: number) => {
    const asked = ask(url, 'tiny', { max_tokens: maxTokens, stream: true })
    const node = (await asked.answer).headers.get('x-lb-node')
    return { asked, index: node === 'real/llama-0' ? 0 : 1 }
  }

  it('kill -9 in mid-stream: the other node goes on with that stream, and the node comes back', async () => {
    const tookMs: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const streams = [await startStream(2_500), await startStream(2_500)]
      expect(new Set(streams.map((stream) => stream.index))).toEqual(new Set([0, 1]))
      const [hit, other] = streams
      const before = await row(hit?.index ?? -1)
      process.kill(before.pid ?? 0, 'SIGKILL')
      tookMs.push(
        await timed(() =>
          until(async () => {
            const now = await row(before.id.endsWith('0') ? 0 : 1)
            return now.state === 'ready' && now.pid !== before.pid
          }, 30_000),
        ),
      )
      const [cut, whole] = await Promise.all(streams.map(({ asked }) => readStream(asked)))
      expect(cut?.text).toMatch(/"content":"/)
      expect(cut?.text.match(/^: lb continued this answer on real/m)).not.toBeNull()
      expect(cut?.text.slice(-20)).toMatch(/data: \[DONE\]\s*$/)
      expect(other?.index).not.toBe(hit?.index)
      expect(whole?.text).toMatch(/data: \[DONE\]\s*$/)
    }
    figures.times('kill -9 of an engine, until its node is ready again', tookMs)
  })

  it('kill -9 under plain requests loses none: what was not answered is asked elsewhere', async () => {
    const victim = await row(0)
    let done = 0
    const answers = Array.from({ length: 8 }, async () => {
      for (let round = 0; round < 15; round += 1) {
        const answer = await askPlain(url, 'tiny', { max_tokens: 40 })
        expect(answer['usage']).toMatchObject({ completion_tokens: 40 })
        done += 1
        if (done === 30) process.kill(victim.pid ?? 0, 'SIGKILL')
      }
    })
    await Promise.all(answers)
    expect(done).toBe(120)
    await until(async () => (await row(0)).state === 'ready' && (await row(0)).pid !== victim.pid, 30_000)
    figures.note('plain requests over a kill -9 of one of two engines', `n ${done}  lost 0`)
  })

  it('a drained node ends its streams and gets no more, until it is resumed', async () => {
    const { asked, index } = await startStream(3_000)
    const { id } = await row(index)
    expect((await house.lb(['nodes', 'drain', id])).code).toBe(0)
    for (let round = 0; round < 6; round += 1) {
      const answer = await ask(url, 'tiny').answer
      expect(answer.headers.get('x-lb-node')).not.toBe(id)
      await answer.text()
    }
    expect((await readStream(asked)).text).toMatch(/data: \[DONE\]\s*$/)
    await until(async () => (await busySlots((await row(index)).url)) === 0, 5_000)
    expect((await house.lb(['nodes', 'resume', id])).code).toBe(0)
    await until(async () => (await row(index)).state === 'ready', 10_000)
  })

  it('a restarted node is another process, and its stream was whole before', async () => {
    const { asked, index } = await startStream(3_000)
    const before = await row(index)
    const whole = readStream(asked)
    const tookMs = await timed(async () => {
      expect((await house.lb(['nodes', 'restart', before.id])).code).toBe(0)
      await until(async () => (await row(index)).state === 'ready' && (await row(index)).pid !== before.pid, 60_000)
    })
    expect((await whole).text).toMatch(/data: \[DONE\]\s*$/)
    figures.note('lb nodes restart under a stream, until ready again', `${tookMs.toFixed(0)} ms`)
  })

  it('kill -9 of lb and its keeper: the next lb up takes the same processes over, and serves at once', async () => {
    const tookMs: number[] = []
    for (let round = 0; round < 3; round += 1) {
      const before = await nodeRows(house)
      const engines = await nodeUrls(house)
      const { asked } = await startStream(20_000)
      for (const pid of ownProcesses(house, before)) process.kill(pid, 'SIGKILL')
      await readStream(asked)
      tookMs.push(
        await timed(async () => {
          url = await house.up()
          await askPlain(url, 'tiny')
        }),
      )
      const after = await nodeRows(house)
      expect(after.map(({ id, pid, url, state }) => ({ id, pid, url, state }))).toEqual(
        before.map(({ id, pid, url }) => ({ id, pid, url, state: 'ready' })),
      )
      // What the dead lb had asked for is not computed on.
      await until(async () => (await Promise.all(engines.map(busySlots))).every((slots) => slots === 0), 5_000)
    }
    figures.times('kill -9 of lb, then lb up until the first answer, adopted', tookMs)
  })

  it('lb down leaves no engine behind, adopted ones neither', async () => {
    const tookMs = await timed(async () => expect((await house.lb(['down'])).code).toBe(0))
    expect(house.survivors()).toEqual([])
    figures.note('lb down of two adopted engines', `${tookMs.toFixed(0)} ms`)
  })
})

/** Balancer and keeper: all that carries this house's mark but the engines. */
function ownProcesses(house: House, engines: readonly { readonly pid: number | null }[]): number[] {
  const others = new Set(engines.flatMap(({ pid }) => [pid, ...descendantsOf(pid)]))
  return house.survivors().filter((pid) => !others.has(pid))
}
