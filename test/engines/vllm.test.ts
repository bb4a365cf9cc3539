/** A real vLLM behind `lb`, on a small model of random weights; who works is read from its own gauges. Its start takes a minute on a small machine. */
import { dirname, join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, until } from '../e2e/house.js'
import { Figures, timed } from './figures.js'
import { nodeRows } from './llama-nodes.js'
import { namedEngine } from './named-engine.js'
import { descendantsOf, isAlive } from './processes.js'
import { makeModel } from './random-models.js'
import { ask, askPlain, fieldsOf, readStream } from './requests.js'

const command = namedEngine('LB_TEST_VLLM')
const startMs = 300_000
const messages = [{ role: 'user' as const, content: 'What is a load line?' }]

describe.skipIf(command === undefined)('a real vLLM', { timeout: startMs + 60_000 }, () => {
  let house: House
  const figures = new Figures()
  let url: string

  beforeAll(async () => {
    house = new House()
    const model = makeModel('hf', join(house.cwd, 'tiny-hf'))
    house.write('lb.yaml', topology(command ?? '', model))
    figures.note('lb up --detach, until ready', `${(await timed(async () => (url = await house.up()))).toFixed(0)} ms`)
  }, startMs)

  afterAll(async () => {
    await house.lb(['down', '--force'])
    await until(() => house.survivors().length === 0, 20_000)
    await house.close()
    figures.print()
  }, 60_000)

  const node = async () => {
    const [found] = await nodeRows(house)
    if (found === undefined) throw new Error('no node')
    return found
  }

  it('answers plainly and in streams through the openai client', async () => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'not-needed', maxRetries: 0 })
    const tookMs: number[] = []
    for (let round = 0; round < 10; round += 1) {
      const startedAt = performance.now()
      const plain = await client.chat.completions.create({ model: 'tiny', messages, max_tokens: 20 })
      tookMs.push(performance.now() - startedAt)
      expect(plain.choices[0]?.message.content).toMatch(/^[a-z., ]+$/)
      expect(plain.usage?.completion_tokens).toBe(20)
      let text = ''
      const usages: unknown[] = []
      const stream = await client.chat.completions.create({
        model: 'tiny',
        messages,
        max_tokens: 20,
        stream: true,
        stream_options: { include_usage: true },
      })
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? ''
        if (chunk.usage) usages.push(chunk.usage.completion_tokens)
      }
      expect(text).toMatch(/^[a-z., ]+$/)
      expect(usages).toEqual([20])
    }
    figures.times('plain answer of 20 tokens', tookMs)
  })

  it('gives a plain answer with the very fields of its own, and the same text', async () => {
    const fixed = { temperature: 0, max_tokens: 30 }
    const engine = (await node()).url
    const own = await askPlain(engine, 'tiny', fixed)
    const ours = await askPlain(url, 'tiny', fixed)
    expect(fieldsOf(ours)).toEqual(fieldsOf(own))
    expect(ours['choices']).toEqual(own['choices'])
  })

  it.each([
    ['plain', false],
    ['streamed', true],
  ])('stops computing within 1 s when the client of a %s answer leaves', async (kind, stream) => {
    const engine = (await node()).url
    const tookMs: number[] = []
    for (let round = 0; round < 20; round += 1) {
      const asked = ask(url, 'tiny', { max_tokens: 4_000, stream })
      await until(async () => (await running(engine)) === 1, 10_000)
      asked.controller.abort()
      tookMs.push(await timed(() => until(async () => (await running(engine)) === 0, 10_000)))
    }
    expect(figures.times(`client of a ${kind} answer leaves, until nothing runs`, tookMs)).toBeLessThan(1_000)
  })

  it('kill -9 of lb: the next lb up takes it over without loading it again', async () => {
    const before = await node()
    const engine = [before.pid, ...descendantsOf(before.pid)]
    expect(engine.length).toBeGreaterThan(2)
    for (const pid of house.survivors()) if (!engine.includes(pid)) process.kill(pid, 'SIGKILL')
    const tookMs = await timed(async () => {
      url = await house.up()
      await askPlain(url, 'tiny')
    })
    expect((await node()).pid).toBe(before.pid)
    figures.note('kill -9 of lb, then lb up until the first answer, adopted', `${tookMs.toFixed(0)} ms`)
  })

  it('kill -9 of its API server in mid-stream: the stream ends as failed, engine and workers are gone within 5 s, the node comes back', async () => {
    const before = await node()
    const orphans = descendantsOf(before.pid)
    const asked = ask(url, 'tiny', { max_tokens: 3_000, stream: true })
    await asked.answer
    process.kill(before.pid ?? 0, 'SIGKILL')
    const orphansMs = await timed(() => until(() => orphans.every((pid) => !isAlive(pid)), 20_000))
    figures.note(`kill -9 of the API server, until its ${orphans.length} descendants are gone`, `${orphansMs.toFixed(0)} ms`)
    expect(orphansMs).toBeLessThan(5_000)
    expect((await readStream(asked)).text).not.toMatch(/\[DONE\]/)
    const readyMs = await timed(() =>
      until(async () => {
        const now = await node()
        return now.state === 'ready' && now.pid !== before.pid
      }, startMs),
    )
    figures.note('… until its node is ready again', `${readyMs.toFixed(0)} ms`)
    await askPlain(url, 'tiny')
  })

  it('a drain lets its stream end; lb down leaves no process behind', async () => {
    const asked = ask(url, 'tiny', { max_tokens: 500, stream: true })
    await asked.answer
    const { id, pid, url: engineUrl } = await node()
    // They write over their environment, so that the mark of this test is not to be seen there.
    const processes = [pid ?? 0, ...descendantsOf(pid)]
    expect((await house.lb(['nodes', 'drain', id])).code).toBe(0)
    expect((await readStream(asked)).text).toMatch(/data: \[DONE\]\s*$/)
    expect(await running(engineUrl)).toBe(0)
    const tookMs = await timed(async () => expect((await house.lb(['down'])).code).toBe(0))
    expect(processes.filter(isAlive)).toEqual([])
    figures.note('lb down', `${tookMs.toFixed(0)} ms`)
  })
})

async function running(engine: string): Promise<number> {
  const text = await (await fetch(`${engine}/metrics`)).text()
  return [...text.matchAll(/^vllm:num_requests_(?:running|waiting)\{.*\} (\S+)$/gm)].reduce((sum, [, value]) => sum + Number(value), 0)
}

/** The rest of its environment is what vLLM on a CPU wants: little memory, no look-ups in the network. */
function topology(command: string, model: string): string {
  return `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  real:
    models: [tiny]
    nodes:
      - name: vllm
        engine: vllm
        launch:
          venv: ${dirname(dirname(command))}
          model: ${model}
          args: { maxModelLen: 4096, enforceEager: true, dtype: float32 }
          env: { HF_HUB_OFFLINE: '1', VLLM_NO_USAGE_STATS: '1', VLLM_CPU_KVCACHE_SPACE: '1' }
`
}
