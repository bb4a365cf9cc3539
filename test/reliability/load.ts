/** Many questions at once, and faults in the middle of them. */
import { Agent } from 'node:http'
import { ask, type Answered } from './client.js'
import type { Question } from './questions.js'

/** What happens during a load: after so many milliseconds, or when so many requests were begun. */
export interface Strike {
  readonly at: { readonly ms: number } | { readonly started: number }
  readonly act: () => Promise<void> | void
}

export interface LoadPlan {
  readonly url: string
  readonly questions: readonly Question[]
  readonly total: number
  readonly concurrency: number
  /** Whether the request of this number is a stream. Absent: none is. */
  readonly stream?: (index: number) => boolean
  readonly deadlineMs?: number
  /** A connection for each request instead of kept ones. */
  readonly fresh?: boolean
  readonly strikes?: readonly Strike[]
  readonly headers?: Readonly<Record<string, string>>
  /** Told at the first content of each request. */
  readonly onContent?: (index: number) => void
}

/** Ends when all requests and all strikes have; the answers stand in the order in which they were begun. */
export async function load(plan: LoadPlan): Promise<Answered[]> {
  const agent = plan.fresh === true ? undefined : new Agent({ keepAlive: true, maxSockets: plan.concurrency })
  const answers: Answered[] = []
  const strikes = new Strikes(plan.strikes ?? [])
  let started = 0
  const client = async (): Promise<void> => {
    while (started < plan.total) {
      const index = started++
      strikes.began(started)
      answers[index] = await ask(plan.url, questionOf(plan, index), {
        stream: plan.stream?.(index) ?? false,
        deadlineMs: plan.deadlineMs ?? 60_000,
        ...(agent === undefined ? {} : { agent }),
        ...(plan.headers === undefined ? {} : { headers: plan.headers }),
        onContent: () => plan.onContent?.(index),
      })
    }
  }
  await Promise.all(Array.from({ length: plan.concurrency }, client))
  agent?.destroy()
  await strikes.end()
  return answers
}

export function questionOf({ questions }: Pick<LoadPlan, 'questions'>, index: number): Question {
  const question = questions[index % questions.length]
  if (question === undefined) throw new RangeError('a load needs questions')
  return question
}

class Strikes {
  private readonly timers: NodeJS.Timeout[] = []
  private readonly running: Promise<void>[] = []
  private readonly counted: { readonly started: number; readonly strike: Strike }[] = []

  constructor(strikes: readonly Strike[]) {
    for (const strike of strikes)
      if ('ms' in strike.at) this.timers.push(setTimeout(() => this.strike(strike), strike.at.ms))
      else this.counted.push({ started: strike.at.started, strike })
  }

  began(started: number): void {
    for (const one of this.counted) if (one.started === started) this.strike(one.strike)
  }

  /** What is not due by now will not be. */
  async end(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer)
    await Promise.all(this.running)
  }

  private strike(strike: Strike): void {
    const done = Promise.resolve().then(() => strike.act())
    // Whoever awaits the end hears of it; until then it is not unhandled.
    done.catch(() => undefined)
    this.running.push(done)
  }
}
