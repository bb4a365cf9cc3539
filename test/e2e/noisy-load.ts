/** What a busy day looks like: prompts of every length, bursts, clients that ask nonsense and clients that leave. Nothing of it is a node's fault. */
import { request } from 'node:http'
import { ask, type Answered } from '../reliability/client.js'
import { unanswered } from '../reliability/questions.js'
import { Seeded } from './seeded.js'
import { pause } from './steady-load.js'

export interface NoiseTally {
  asked: number
  readonly answers: Answered[]
  left: number
  /** Answers to nonsense, by status. */
  readonly nonsense: Map<number, number>
}

const LANES = 8
const BURST = 40
const BURST_EVERY_MS = 20_000
/** Tokens of a prompt that keeps an engine for seconds. */
const LONG_PROMPT_WORDS = 9_000

/** Noise for so long. Every draw has its seed; what a draw meets depends on the machine. */
export async function noisy(url: string, forMs: number): Promise<NoiseTally> {
  const noise = new Noise(url, performance.now() + forMs)
  await Promise.all([...Array.from({ length: LANES }, (_, lane) => noise.lane(lane)), noise.bursts()])
  return noise.tally
}

class Noise {
  readonly tally: NoiseTally = { asked: 0, answers: [], left: 0, nonsense: new Map() }

  constructor(
    private readonly url: string,
    private readonly untilMs: number,
  ) {}

  async lane(lane: number): Promise<void> {
    const random = new Seeded(lane + 1)
    while (performance.now() < this.untilMs) {
      const draw = random.below(100)
      if (draw < 8) await this.nonsense(random)
      else if (draw < 20) await this.leave(random)
      else await this.ask(draw < 22 ? LONG_PROMPT_WORDS : random.pick([1, 10, 60, 400, 1_500]), random)
      await pause(random.below(300))
    }
  }

  async bursts(): Promise<void> {
    const random = new Seeded(99)
    while (performance.now() + BURST_EVERY_MS < this.untilMs) {
      await pause(BURST_EVERY_MS)
      await Promise.all(Array.from({ length: BURST }, () => this.ask(random.pick([1, 20, 100]), random)))
    }
  }

  private async ask(promptWords: number, random: Seeded): Promise<void> {
    const question = unanswered(this.next(), { count: 0, maxTokens: random.pick([1, 4, 32, 120]), promptWords })
    this.tally.answers.push(await ask(this.url, question, { stream: random.below(2) === 0, deadlineMs: 120_000 }))
  }

  /** Half of them plain, at any moment of the answer. */
  private leave(random: Seeded): Promise<void> {
    const question = unanswered(this.next(), { count: 0, maxTokens: 100, promptWords: random.pick([1, 300]) })
    this.tally.left += 1
    return this.post(question.body(random.below(2) === 0), 20 + random.below(1_500)).then(() => undefined)
  }

  private async nonsense(random: Seeded): Promise<void> {
    const body = random.pick([
      '{"model": "sim-8b", "messages": [',
      JSON.stringify({ model: 'sim-8b', messages: [] }),
      JSON.stringify({ model: 'sim-8b', messages: [{ role: 'user', content: 'x' }], n: 3 }),
      JSON.stringify({ model: 'sim-8b', messages: [{ role: 'user', content: 'x' }], max_tokens: 1_000_000 }),
      JSON.stringify({ model: 'sim-8b', messages: 'hello', stream: true }),
    ])
    this.next()
    const status = await this.post(body)
    this.tally.nonsense.set(status, (this.tally.nonsense.get(status) ?? 0) + 1)
  }

  private next(): number {
    this.tally.asked += 1
    return this.tally.asked
  }

  /** The status; 0 where it left before there was one. */
  private post(body: string, leaveAfterMs = 30_000): Promise<number> {
    return new Promise((resolve) => {
      let status = 0
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const sent = request(`${this.url}/v1/chat/completions`, { method: 'POST', headers, agent: false }, (answer) => {
        status = answer.statusCode ?? 0
        answer.resume().on('error', () => undefined)
      })
      const timer = setTimeout(() => sent.destroy(), leaveAfterMs)
      sent.on('error', () => undefined)
      sent.on('close', () => {
        clearTimeout(timer)
        resolve(status)
      })
      sent.end(body)
    })
  }
}
