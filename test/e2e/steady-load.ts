/** So many clients that ask again as soon as they are answered, until they are told to stop. */
import { Agent } from 'node:http'
import { ask, type Answered } from '../reliability/client.js'
import type { Question } from '../reliability/questions.js'
import { Seeded } from './seeded.js'

export interface SteadyOptions {
  readonly url: string
  readonly clients: number
  readonly question: (index: number) => Question
  /** Absent: every other one. */
  readonly stream?: (index: number) => boolean
  readonly deadlineMs?: number
  /** Between two questions of one client, in the middle: anything up to twice as long, so that clients do not beat with the steps of an engine. */
  readonly pauseMs?: number
}

export class SteadyLoad {
  readonly answers: Answered[] = []
  private stopped = false
  private asked = 0
  private readonly random = new Seeded(7)
  private readonly agent: Agent
  private readonly lanes: Promise<unknown>

  constructor(private readonly options: SteadyOptions) {
    this.agent = new Agent({ keepAlive: true, maxSockets: options.clients })
    this.lanes = Promise.all(Array.from({ length: options.clients }, () => this.lane()))
  }

  /** Ends when all that was asked is answered. */
  async stop(): Promise<readonly Answered[]> {
    this.stopped = true
    await this.lanes
    this.agent.destroy()
    return this.answers
  }

  private async lane(): Promise<void> {
    const { url, question, deadlineMs = 60_000, pauseMs = 0, stream = (index) => index % 2 === 0 } = this.options
    while (!this.stopped) {
      const index = this.asked++
      this.answers.push(await ask(url, question(index), { stream: stream(index), deadlineMs, agent: this.agent }))
      if (pauseMs > 0) await pause(this.random.below(2 * pauseMs))
    }
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
