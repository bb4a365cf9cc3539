import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, streamText } from 'ai'
import OpenAI, { APIError } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cut } from './cut-point.js'
import { NaiveProxy } from './naive-proxy.js'
import { models, Survival } from './survival.js'

const middle = { event: 20, at: 'inside', bytes: 40, how: 'end' } as const satisfies Cut
const messages = [{ role: 'user' as const, content: 'What is a load line?' }]
const limits = { max_tokens: 60 }

let survival: Survival
let naive: NaiveProxy
let turns = 0

beforeAll(async () => {
  survival = await Survival.start({ engines: 3, slowness: 1 })
  naive = await NaiveProxy.start(survival.engineUrls)
})

afterAll(async () => {
  await naive.close()
  await survival.close()
})

/** The headers of a request that will be cut there. */
function cutAt(...cuts: readonly Cut[]): Record<string, string> {
  const requestId = `official-${(turns += 1)}`
  survival.plan.set(requestId, ...cuts)
  return { 'x-request-id': requestId }
}

const openai = (url = survival.url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, logLevel: 'off' })

async function textOf(
  stream: AsyncIterable<{ choices: readonly { delta?: { content?: string | null }; text?: string }[] }>,
): Promise<string> {
  let text = ''
  for await (const { choices } of stream) text += choices[0]?.delta?.content ?? choices[0]?.text ?? ''
  return text
}

const chat = async (model: string, headers: Record<string, string>, client = openai()): Promise<string> =>
  textOf(await client.chat.completions.create({ model, messages, ...limits, stream: true }, { headers }))

const completion = async (model: string, headers: Record<string, string>): Promise<string> =>
  textOf(await openai().completions.create({ model, prompt: 'Once upon', ...limits, stream: true }, { headers }))

const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('the openai client, cut off in mid-stream', () => {
  it.each([
    ['chat', chat],
    ['completions', completion],
  ])('raises the error of a stream that cannot go on, and knows its code: %s', async (_name, ask) => {
    const error = await thrownBy(ask(models.off, cutAt(middle)))
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ code: 'LB_STREAM_CUT', type: 'server_error' })
  })

  it('raises it from its helper for streams, too', async () => {
    const stream = openai().chat.completions.stream({ model: models.off, messages, ...limits }, { headers: cutAt(middle) })
    expect(await thrownBy(stream.finalContent())).toBeInstanceOf(Error)
  })

  it.each([
    ['chat', chat],
    ['completions', completion],
  ])('does not notice it where the stream goes on: %s', async (_name, ask) => {
    expect(await ask(models.whole, cutAt(middle))).toBe(await ask(models.whole, {}))
    expect(survival.plan.made.at(-1)).toBe(`official-${turns}`)
  })

  it('does not notice it twice over', async () => {
    expect(await chat(models.whole, cutAt(middle, { ...middle, event: 7, how: 'reset' }))).toBe(await chat(models.whole, {}))
    expect(survival.plan.made.slice(-2)).toEqual([`official-${turns}`, `official-${turns}`])
  })

  it('does not notice it in a plain answer', async () => {
    const ask = async (headers: Record<string, string>) =>
      (await openai().chat.completions.create({ model: models.off, messages, ...limits }, { headers })).choices[0]?.message.content
    expect(await ask(cutAt({ event: 0, at: 'inside', bytes: 40, how: 'reset' }))).toBe(await ask({}))
  })
})

describe('the ai SDK, cut off in mid-stream', () => {
  const provider = () => createOpenAICompatible({ name: 'lb', baseURL: `${survival.url}/v1`, apiKey: 'none', includeUsage: true })

  async function read(model: string, headers: Record<string, string>) {
    const { fullStream } = streamText({
      model: provider()(model),
      prompt: 'Why?',
      maxOutputTokens: 60,
      maxRetries: 0,
      headers,
      onError: () => undefined,
    })
    const seen = { text: '', errors: [] as unknown[], outputTokens: 0 }
    for await (const part of fullStream) {
      if (part.type === 'text-delta') seen.text += part.text
      if (part.type === 'error') seen.errors.push(part.error)
      if (part.type === 'finish') seen.outputTokens = part.totalUsage.outputTokens ?? 0
    }
    return seen
  }

  it('is told of the error', async () => {
    const { errors } = await read(models.off, cutAt(middle))
    expect(errors).toHaveLength(1)
    expect(JSON.stringify(errors[0], Object.getOwnPropertyNames(errors[0] ?? {}))).toMatch(/went away in mid-stream/)
  })

  it('does not notice it where the stream goes on; usage is that of the whole', async () => {
    const whole = await read(models.whole, {})
    expect(await read(models.whole, cutAt(middle))).toEqual(whole)
    expect(whole).toMatchObject({ errors: [], outputTokens: 60 })
  })

  it('gets plain answers whole', async () => {
    const ask = async (headers: Record<string, string>) =>
      (await generateText({ model: provider()(models.off), prompt: 'Why?', maxOutputTokens: 20, maxRetries: 0, headers })).text
    expect(await ask(cutAt({ event: 0, at: 'inside', bytes: 60, how: 'end' }))).toBe(await ask({}))
  })
})

describe('a proxy that only pipes: the negative control', () => {
  it('leaves the client hanging, or without a word', async () => {
    const work = chat(models.whole, cutAt(middle), openai(naive.url)).then(
      (text) => ({ text, raised: false }),
      () => ({ text: '', raised: true }),
    )
    const hung = new Promise<'hung'>((resolve) => setTimeout(() => resolve('hung'), 3_000))
    const whole = await chat(models.whole, {})
    const end = await Promise.race([work, hung])
    if (end !== 'hung') expect(end.raised || end.text !== whole).toBe(true)
    process.stdout.write(`a proxy that only pipes, cut off: ${end === 'hung' ? 'its client hangs' : JSON.stringify(end)}\n`)
  })
})

describe("protocols that are not the gateway's", () => {
  it.each([
    ['/v1/messages', /Anthropic.*\/v1\/chat\/completions/],
    ['/api/chat', /native engine APIs.*\/v1\/chat\/completions/],
  ])('are refused with what would be right: %s', async (path, reason) => {
    const answer = await fetch(`${survival.url}${path}`, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(404)
    expect(await answer.text()).toMatch(reason)
  })
})
