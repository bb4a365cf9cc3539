/** Real Ollama servers behind `lb`, with models made from a random GGUF file; who works is read from the slots of their llama-servers. */
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, until } from '../e2e/house.js'
import { Figures, timed } from './figures.js'
import { nodeRows } from './llama-nodes.js'
import { namedEngine } from './named-engine.js'
import { busySlotsOf, createModels, loadedModels } from './ollama-server.js'
import { childrenOf, descendantsOf, isAlive } from './processes.js'
import { makeModel } from './random-models.js'
import { ask, askPlain, readStream } from './requests.js'

const command = namedEngine('LB_TEST_OLLAMA')
const messages = [{ role: 'user' as const, content: 'What is a load line?' }]

describe.skipIf(command === undefined)('two real Ollama servers', () => {
  let house: House
  const figures = new Figures()
  let url: string

  beforeAll(async () => {
    house = new House()
    const models = join(house.folder, 'ollama-models')
    const file = makeModel('gguf', join(house.cwd, 'tiny.gguf'))
    await createModels(command ?? '', models, { env: house.env, models: { tiny: file } })
    house.write('lb.yaml', topology(command ?? '', models))
    figures.note('lb up --detach with two of them, model in memory', `${(await timed(async () => (url = await house.up()))).toFixed(0)} ms`)
  })

  afterAll(async () => {
    await house.lb(['down', '--force'])
    await until(() => house.survivors().length === 0, 10_000)
    await house.close()
    figures.print()
  })

  const row = async (index: number) => {
    const found = (await nodeRows(house))[index]
    if (found === undefined) throw new Error('no such node')
    return found
  }
  const busy = async () =>
    (await Promise.all((await nodeRows(house)).map((node) => busySlotsOf(node.pid)))).reduce((sum, count) => sum + count, 0)

  it('are ready once the model is in memory, for as long as there is room', async () => {
    for (const node of await nodeRows(house)) {
      const [loaded, ...more] = await loadedModels(node.url)
      expect(more).toEqual([])
      expect(loaded?.name).toBe('tiny:latest')
      expect(new Date(loaded?.expires_at ?? 0).getFullYear()).toBeGreaterThan(new Date().getFullYear() + 100)
    }
  })

  it('answer plainly and in streams through the openai client', async () => {
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'not-needed', maxRetries: 0 })
    const nodes = new Set<string | null>()
    const tookMs: number[] = []
    for (let round = 0; round < 10; round += 1) {
      const startedAt = performance.now()
      const { data, response } = await client.chat.completions.create({ model: 'tiny', messages, max_tokens: 20 }).withResponse()
      tookMs.push(performance.now() - startedAt)
      nodes.add(response.headers.get('x-lb-node'))
      expect(data.choices[0]?.message.content).toMatch(/^[a-z., ]+$/)
      expect(data.usage?.completion_tokens).toBe(20)
      let text = ''
      let end: string | null | undefined
      for await (const chunk of await client.chat.completions.create({ model: 'tiny', messages, max_tokens: 20, stream: true })) {
        text += chunk.choices[0]?.delta.content ?? ''
        end = chunk.choices[0]?.finish_reason ?? end
      }
      expect(text).toMatch(/^[a-z., ]+$/)
      expect(end).toBe('length')
    }
    expect(nodes.size).toBe(2)
    figures.times('plain answer of 20 tokens', tookMs)
  })

  it.each([
    ['plain', false],
    ['streamed', true],
  ])('free the slot within 1 s when the client of a %s answer leaves', async (kind, stream) => {
    const tookMs: number[] = []
    const pids = (await nodeRows(house)).map((node) => node.pid)
    const busy = async () => (await Promise.all(pids.map(busySlotsOf))).reduce((sum, count) => sum + count, 0)
    for (let round = 0; round < 20; round += 1) {
      const asked = ask(url, 'tiny', { max_tokens: 6_000, stream })
      await until(async () => (await busy()) === 1, 5_000)
      asked.controller.abort()
      tookMs.push(await timed(() => until(async () => (await busy()) === 0, 5_000)))
    }
    expect(figures.times(`client of a ${kind} answer leaves, until no slot is busy`, tookMs)).toBeLessThan(1_000)
  })

  it('a model that somebody unloads is brought back before its node takes requests again', async () => {
    const node = await row(0)
    const unload = await fetch(`${node.url}/api/generate`, { method: 'POST', body: JSON.stringify({ model: 'tiny', keep_alive: 0 }) })
    expect(await unload.json()).toMatchObject({ done: true, done_reason: 'unload' })
    await until(async () => (await loadedModels(node.url)).length === 0, 10_000)
    const tookMs = await timed(() => until(async () => (await loadedModels(node.url)).length === 1, 30_000))
    figures.note('unloaded by hand, until lb has it in memory again', `${tookMs.toFixed(0)} ms`)
    await until(async () => (await row(0)).state === 'ready', 10_000)
  })

  it('kill -9 in mid-stream: the stream ends as failed, the orphaned llama-server is gone within 5 s, the node comes back', async () => {
    const orphansMs: number[] = []
    const readyMs: number[] = []
    for (let round = 0; round < 3; round += 1) {
      const asked = ask(url, 'tiny', { max_tokens: 6_000, stream: true })
      const index = (await asked.answer).headers.get('x-lb-node') === 'real/ollama-0' ? 0 : 1
      const before = await row(index)
      const orphans = childrenOf(before.pid)
      expect(orphans).toHaveLength(1)
      process.kill(before.pid ?? 0, 'SIGKILL')
      orphansMs.push(await timed(() => until(() => orphans.every((pid) => !isAlive(pid)), 10_000)))
      readyMs.push(
        await timed(() => until(async () => (await row(index)).state === 'ready' && (await row(index)).pid !== before.pid, 30_000)),
      )
      const cut = await readStream(asked)
      expect(cut.text).toMatch(/"content":"/)
      expect(cut.text).not.toMatch(/\[DONE\]/)
    }
    expect(figures.times('kill -9 of an Ollama, until its llama-server is gone', orphansMs)).toBeLessThan(5_000)
    figures.times('… until its node is ready again, model in memory', readyMs)
  })

  it('a drained node is empty at the engine too, and gets no more until it is resumed', async () => {
    const asked = ask(url, 'tiny', { max_tokens: 2_000, stream: true })
    const id = (await asked.answer).headers.get('x-lb-node') ?? ''
    expect((await house.lb(['nodes', 'drain', id])).code).toBe(0)
    for (let round = 0; round < 4; round += 1) {
      const answer = await ask(url, 'tiny').answer
      expect(answer.headers.get('x-lb-node')).not.toBe(id)
      await answer.text()
    }
    expect((await readStream(asked)).text).toMatch(/data: \[DONE\]\s*$/)
    await until(async () => (await busy()) === 0, 5_000)
    expect((await house.lb(['nodes', 'resume', id])).code).toBe(0)
    await until(async () => (await nodeRows(house)).every((node) => node.state === 'ready'), 30_000)
  })

  it('kill -9 of lb: the next lb up takes both over with their models in memory', async () => {
    const before = await nodeRows(house)
    const engines = before.flatMap(({ pid }) => [pid, ...descendantsOf(pid)])
    for (const pid of house.survivors()) if (!engines.includes(pid)) process.kill(pid, 'SIGKILL')
    const tookMs = await timed(async () => {
      url = await house.up()
      await askPlain(url, 'tiny')
    })
    const after = await nodeRows(house)
    expect(after.map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid))
    expect(after.flatMap(({ pid }) => [pid, ...descendantsOf(pid)])).toEqual(engines)
    figures.note('kill -9 of lb, then lb up until the first answer, adopted', `${tookMs.toFixed(0)} ms`)
  })

  it('one that is attached is sick while its model is not there, and says how to get it', async () => {
    const other = new House(`version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  real:
    models: [any]
    nodes:
      - { name: has, engine: ollama, attach: '${(await row(0)).url}', model: tiny }
      - { name: lacks, engine: ollama, attach: '${(await row(1)).url}', model: gone }
`)
    try {
      expect(await askPlain(await other.up(), 'any')).toMatchObject({ choices: [{ finish_reason: 'length' }] })
      const [has, lacks] = (await nodeRows(other)) as readonly { readonly state: string; readonly reason?: string }[]
      expect(has?.state).toBe('ready')
      expect(lacks?.state).not.toBe('ready')
      expect(lacks?.reason).toMatch(/gone is not pulled there; run: lb models pull gone/)
    } finally {
      await other.lb(['down', '--force'])
      await other.close()
    }
  })

  it('lb down leaves no Ollama and no llama-server behind', async () => {
    const tookMs = await timed(async () => expect((await house.lb(['down'])).code).toBe(0))
    expect(house.survivors()).toEqual([])
    figures.note('lb down', `${tookMs.toFixed(0)} ms`)
  })
})

function topology(command: string, models: string): string {
  return `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  real:
    models: [tiny]
    nodes:
      - name: ollama
        engine: ollama
        launch: { replicas: 2, command: [${command}], args: { modelsDir: ${models}, parallel: 2, contextTokens: 8192, pull: never } }
`
}
