import { execFileSync } from 'node:child_process'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, simTopology, until } from './house.js'

let house: House
let url: string
let client: OpenAI

beforeAll(async () => {
  house = new House(simTopology({ replicas: 2, more: 'x-note: { made: for tests }' }))
  url = await house.up()
  client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'not-needed', maxRetries: 0 })
})

afterAll(async () => {
  await house.close()
})

const messages = [{ role: 'user' as const, content: 'What is a load line?' }]

describe('the official openai client', () => {
  it('lists the models of the topology', async () => {
    const models = await client.models.list()
    expect(models.data.map((model) => model.id)).toEqual(['sim-8b'])
  })

  it('gets a plain answer with usage', async () => {
    const answer = await client.chat.completions.create({ model: 'sim-8b', messages, max_tokens: 20 })
    expect(answer.choices[0]?.message.content).toMatch(/simulated/i)
    expect(answer.usage?.completion_tokens).toBe(20)
    expect(answer.usage?.prompt_tokens).toBeGreaterThan(0)
  })

  it('gets the same text as a stream, without a usage chunk that it did not ask for', async () => {
    const plain = await client.chat.completions.create({ model: 'sim-8b', messages, max_tokens: 30 })
    const stream = await client.chat.completions.create({ model: 'sim-8b', messages, max_tokens: 30, stream: true })
    let text = ''
    let usageChunks = 0
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      if (chunk.choices.length === 0) usageChunks += 1
    }
    expect(text).toBe(plain.choices[0]?.message.content)
    expect(usageChunks).toBe(0)
  })

  it('gets the usage chunk when it asks for it', async () => {
    const stream = await client.chat.completions.create({
      model: 'sim-8b',
      messages,
      max_tokens: 5,
      stream: true,
      stream_options: { include_usage: true },
    })
    const usages = []
    for await (const chunk of stream) if (chunk.usage) usages.push(chunk.usage)
    expect(usages).toHaveLength(1)
    expect(usages[0]?.completion_tokens).toBe(5)
  })

  it('gets completions and embeddings too', async () => {
    const completion = await client.completions.create({ model: 'sim-8b', prompt: 'Once upon', max_tokens: 8 })
    expect(completion.choices[0]?.text.length).toBeGreaterThan(0)
    const embeddings = await client.embeddings.create({ model: 'sim-8b', input: ['one', 'two'], encoding_format: 'float' })
    expect(embeddings.data).toHaveLength(2)
  })

  it('is told which model does not exist', async () => {
    await expect(client.chat.completions.create({ model: 'nope', messages })).rejects.toMatchObject({
      status: 404,
      message: expect.stringMatching(/nope.*sim-8b/s),
    })
  })

  it('sees which node answered, after how many attempts, under which id', async () => {
    const answer = await client.chat.completions
      .create({ model: 'sim-8b', messages, max_tokens: 2 }, { headers: { 'x-request-id': 'my-id-1' } })
      .asResponse()
    expect(answer.headers.get('x-request-id')).toBe('my-id-1')
    expect(answer.headers.get('x-lb-node')).toMatch(/^demo\/sim-[01]$/)
    expect(answer.headers.get('x-lb-attempts')).toBe('1')
    await answer.text()
  })
})

describe('bad requests', () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

  it('get 400 with a code when the body is not JSON', async () => {
    const answer = await post('{"model": "sim-8b", "messages": [')
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { code: expect.stringMatching(/^LB_/), type: 'invalid_request_error' } })
  })

  it('get 413 that names the limit when the body is too large', async () => {
    const answer = await post(
      JSON.stringify({ model: 'sim-8b', messages: [{ role: 'user', content: 'x'.repeat(65 * 1024 * 1024) }] }),
    ).catch(() => undefined)
    // A client that is still sending may see the closed connection instead of the answer.
    if (answer !== undefined) {
      expect(answer.status).toBe(413)
      expect(await answer.text()).toMatch(/64 MiB/)
    }
  })

  it('get 404 and 405 with what would be right', async () => {
    expect((await fetch(`${url}/v1/nothing`)).status).toBe(404)
    const wrong = await fetch(`${url}/v1/chat/completions`)
    expect(wrong.status).toBe(405)
    expect(wrong.headers.get('allow')).toBe('POST')
  })
})

describe('the gateway', () => {
  it('answers the very request that `lb up` prints', async () => {
    const other = new House()
    try {
      const up = await other.lb(['up', '--sim', '--detach'])
      const line = /curl .*/.exec(up.stdout)?.[0] ?? ''
      expect(execFileSync('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'ignore'] }).toString('utf8')).toContain('simulated')
    } finally {
      await other.lb(['down', '--name', 'sim', '--force'])
      await other.close()
    }
  })

  it('says that it lives, that it is ready, and what it has done', async () => {
    expect((await fetch(`${url}/health`)).status).toBe(200)
    expect((await fetch(`${url}/ready`)).status).toBe(200)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/^lb_requests_total\{.*\} \d+$/m)
  })
})

describe('a client that leaves', () => {
  it('frees the slot of the engine in mid-stream', async () => {
    const slow = new House(simTopology({ replicas: 1, profile: 'laptop-3b' }))
    try {
      const slowUrl = await slow.up()
      const engine = (await slow.status()).pools[0]?.nodes[0]?.url ?? ''
      const running = async () =>
        Number(/^vllm:num_requests_running\{.*\} (\d+)/m.exec(await (await fetch(`${engine}/metrics`)).text())?.[1])
      const stream = await new OpenAI({ baseURL: `${slowUrl}/v1`, apiKey: 'x', maxRetries: 0 }).chat.completions.create({
        model: 'sim-8b',
        messages,
        max_tokens: 2000,
        stream: true,
      })
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
      stream.controller.abort()
      await until(async () => (await running()) === 0, 2_000)
      await until(async () => (await slow.status()).pools[0]?.nodes[0]?.inFlight === 0, 2_000)
    } finally {
      await slow.close()
    }
  })
})
