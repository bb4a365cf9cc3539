/** Two real llama-servers behind `lb`: answers of both kinds, and clients that leave, judged by the engine's own slots. */
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, until } from '../e2e/house.js'
import { Figures, timed } from './figures.js'
import { busySlots, llamaTopology, nodeUrls } from './llama-nodes.js'
import { namedEngine } from './named-engine.js'
import { makeModel } from './random-models.js'
import { ask, askPlain, fieldsOf } from './requests.js'

const command = namedEngine('LB_TEST_LLAMA_SERVER')
const rounds = 20
const messages = [{ role: 'user' as const, content: 'What is a load line?' }]

describe.skipIf(command === undefined)('two real llama-servers', () => {
  let house: House
  const figures = new Figures()
  let url: string
  let engines: string[]
  let client: OpenAI

  beforeAll(async () => {
    house = new House()
    const model = makeModel('gguf', join(house.cwd, 'tiny.gguf'))
    house.write('lb.yaml', llamaTopology({ command: command ?? '', model }))
    figures.note('lb up --detach with two of them, until ready', `${(await timed(async () => (url = await house.up()))).toFixed(0)} ms`)
    engines = await nodeUrls(house)
    client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'not-needed', maxRetries: 0 })
  })

  afterAll(async () => {
    await house.lb(['down', '--force'])
    expect(house.survivors()).toEqual([])
    await house.close()
    figures.print()
  })

  const busy = async () => (await Promise.all(engines.map(busySlots))).reduce((sum, slots) => sum + slots, 0)

  it('answer plainly through the openai client, both of them', async () => {
    const nodes = new Set<string | null>()
    const tookMs: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const startedAt = performance.now()
      const { data, response } = await client.chat.completions.create({ model: 'tiny', messages, max_tokens: 20 }).withResponse()
      tookMs.push(performance.now() - startedAt)
      nodes.add(response.headers.get('x-lb-node'))
      expect(data.choices[0]).toMatchObject({
        finish_reason: 'length',
        message: { role: 'assistant', content: expect.stringMatching(/^[a-z., ]+$/) },
      })
      expect(data.usage).toMatchObject({ completion_tokens: 20, prompt_tokens: expect.any(Number) })
      expect(data.model).toBe('tiny')
    }
    expect(nodes).toEqual(new Set(['real/llama-0', 'real/llama-1']))
    figures.times('plain answer of 20 tokens', tookMs)
  })

  it('answer in streams through the openai client, with usage where it was asked for', async () => {
    const tookMs: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const withUsage = round % 2 === 0
      const startedAt = performance.now()
      const stream = await client.chat.completions.create({
        model: 'tiny',
        messages,
        max_tokens: 20,
        stream: true,
        ...(withUsage ? { stream_options: { include_usage: true } } : {}),
      })
      let text = ''
      const ends: unknown[] = []
      const usages: unknown[] = []
      for await (const chunk of stream) {
        if (text === '' && chunk.choices[0]?.delta.content) tookMs.push(performance.now() - startedAt)
        text += chunk.choices[0]?.delta.content ?? ''
        if (chunk.choices[0]?.finish_reason) ends.push(chunk.choices[0].finish_reason)
        if (chunk.usage) usages.push(chunk.usage.completion_tokens)
      }
      expect(text).toMatch(/^[a-z., ]+$/)
      expect(ends).toEqual(['length'])
      expect(usages).toEqual(withUsage ? [20] : [])
    }
    figures.times('first token of a stream', tookMs)
  })

  it('give a collected plain answer the very fields of their own plain answer, and the same text', async () => {
    const fixed = { temperature: 0, cache_prompt: false, max_tokens: 40, messages }
    for (const more of [fixed, { ...fixed, logprobs: true, top_logprobs: 2 }, { ...fixed, stop: ['a'] }]) {
      const own = await askPlain(engines[0] ?? '', 'tiny', more)
      const ours = await askPlain(url, 'tiny', more)
      expect(fieldsOf(ours)).toEqual(fieldsOf(own))
      expect(ours['choices']).toEqual(own['choices'])
      expect(ours['usage']).toEqual(own['usage'])
    }
  })

  it.each([
    ['plain', false],
    ['streamed', true],
  ])('free the slot within 1 s when the client of a %s answer leaves', async (kind, stream) => {
    const tookMs: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const asked = ask(url, 'tiny', { max_tokens: 15_000, stream })
      await until(async () => (await busy()) === 1, 5_000)
      asked.controller.abort()
      tookMs.push(await timed(() => until(async () => (await busy()) === 0, 5_000)))
    }
    expect(figures.times(`client of a ${kind} answer leaves, until no slot is busy`, tookMs)).toBeLessThan(1_000)
  })

  it('would hold the slot of a plain answer without lb: the negative control', async () => {
    const asked = ask(engines[0] ?? '', 'tiny', { max_tokens: 15_000 })
    await until(async () => (await busy()) === 1, 5_000)
    asked.controller.abort()
    // Being asked for its slots keeps it from looking after its clients.
    await expect(until(async () => (await busy()) === 0, 1_500)).rejects.toThrow(/not within/)
    // Asked less often than once a second, it notices.
    for (let asks = 0; (await busy()) > 0; asks += 1) {
      expect(asks).toBeLessThan(6)
      await setTimeout(1_600)
    }
  })

  it('take twelve clients at once on four slots, each with a whole answer', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => askPlain(url, 'tiny', { max_tokens: 400 })))
    expect(answers.map((answer) => (answer['usage'] as { completion_tokens: number }).completion_tokens)).toEqual(Array(12).fill(400))
  })
})
