/** Talks through the real `lb` over real sockets, each answer timed by the client. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Agent, request } from 'node:http'
import type { House } from '../../e2e/house.js'
import { openingOf, questionOf, type Message, type Talk } from './talks.js'

/** One answered request, by the client's clock. */
export interface Timed {
  readonly sentMs: number
  readonly ttftMs: number
  readonly promptTokens: number
  readonly cachedTokens: number
}

export interface RealRun {
  readonly answers: readonly Timed[]
  /** By talk: when its first request was really sent. */
  readonly begunMs: ReadonlyMap<number, number>
  /** Of all cores: what balancer, engines and client took while requests ran, 0..1. */
  readonly cpuRatio: number
}

interface Answer extends Timed {
  readonly text: string
  readonly outputTokens: number
}

export async function runTalks(house: House, url: string, talks: readonly Talk[]): Promise<RealRun> {
  const agent = new Agent({ keepAlive: true })
  const answers: Timed[] = []
  const begunMs = new Map<number, number>()
  const cpuBefore = cpuSeconds(house)
  const startedMs = performance.now()
  const nowMs = () => performance.now() - startedMs
  await Promise.all(
    talks.map(async (talk) => {
      await until(talk.atMs - nowMs())
      const messages = openingOf(talk)
      for (const [at, turn] of talk.turns.entries()) {
        if (at > 0) await until(turn.thinkMs)
        messages.push(questionOf(talk, at))
        const sentMs = nowMs()
        if (at === 0) begunMs.set(talk.id, sentMs)
        const answer = await ask(agent, url, { messages, outputTokens: turn.outputTokens })
        if (answer.outputTokens !== turn.outputTokens) throw new Error(`${answer.outputTokens} tokens for ${turn.outputTokens}`)
        messages.push({ role: 'assistant', content: answer.text })
        answers.push({ ...answer, sentMs })
      }
    }),
  )
  agent.destroy()
  const tookSeconds = nowMs() / 1000
  return { answers, begunMs, cpuRatio: (cpuSeconds(house) - cpuBefore) / tookSeconds / availableParallelism() }
}

function until(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, delayMs)))
}

interface Asked {
  readonly messages: readonly Message[]
  readonly outputTokens: number
}

/** A streamed answer of exactly so many tokens. */
function ask(agent: Agent, url: string, { messages, outputTokens }: Asked): Promise<Answer> {
  const body = JSON.stringify({
    model: 'sim-8b',
    messages,
    max_tokens: outputTokens,
    ignore_eos: true,
    stream: true,
    stream_options: { include_usage: true },
  })
  return new Promise((resolve, reject) => {
    const sentMs = performance.now()
    const sent = request(
      `${url}/v1/chat/completions`,
      { agent, method: 'POST', headers: { 'content-type': 'application/json' } },
      (response) => {
        let firstMs = Number.NaN
        let events = ''
        response.setEncoding('utf8')
        response.on('error', reject)
        response.on('data', (part: string) => {
          if (Number.isNaN(firstMs)) firstMs = performance.now()
          events += part
        })
        response.on('end', () => {
          if (response.statusCode !== 200) return reject(new Error(`${response.statusCode}: ${events}`))
          resolve({ sentMs, ttftMs: firstMs - sentMs, ...readEvents(events) })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[]
  readonly usage?: {
    readonly prompt_tokens: number
    readonly completion_tokens: number
    readonly prompt_tokens_details: { readonly cached_tokens: number }
  }
}

function readEvents(events: string): Pick<Answer, 'text' | 'outputTokens' | 'promptTokens' | 'cachedTokens'> {
  const chunks = events
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)) as Chunk)
  const usage = chunks.at(-1)?.usage
  if (usage === undefined) throw new Error(`the stream ended without usage: ${events.slice(-300)}`)
  return {
    text: chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''),
    outputTokens: usage.completion_tokens,
    promptTokens: usage.prompt_tokens,
    cachedTokens: usage.prompt_tokens_details.cached_tokens,
  }
}

/** User and system time of this process and all of the house's, as the kernel counts it. */
function cpuSeconds(house: House): number {
  return [process.pid, ...house.survivors()].reduce((sum, pid) => sum + ticksOf(pid) / 100, 0)
}

function ticksOf(pid: number): number {
  try {
    // Behind the name in brackets, which may hold anything: utime and stime are fields 14 and 15.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  } catch {
    return 0
  }
}
