/** One run: fresh engines, one subject in front of them, a load, faults; what came of it. Everything is gone when it returns. */
import { until } from '../e2e/house.js'
import { Fleet, SimProcess, type FleetOptions } from './engines.js'
import { load, questionOf, type LoadPlan, type Strike } from './load.js'
import { questions, type Question, type QuestionOptions } from './questions.js'
import type { Start } from './subjects.js'
import { duplicated, tally, type Duplicated, type Tally } from './tally.js'
import type { Answered } from './client.js'

export interface RunOptions extends Omit<LoadPlan, 'url' | 'questions' | 'strikes'> {
  readonly subject: Start
  readonly engines?: FleetOptions
  readonly ask: QuestionOptions
  readonly strikes?: (fleet: Fleet) => readonly Strike[]
  /** Further engines, after the simulated ones. */
  readonly beside?: readonly { readonly url: string }[]
  /** Looked at when all is answered and nothing is broken any more. */
  readonly after?: (fleet: Fleet) => Promise<void>
}

export interface Outcome extends Tally {
  readonly subject: string
  readonly answers: readonly Answered[]
  readonly duplicated: Duplicated
  /** Tries beyond the first of each request; undefined where the subject does not count them. */
  readonly retries: number | undefined
  readonly tries: Readonly<Record<string, number>> | undefined
  readonly tookMs: number
}

export async function run({ subject: start, engines, ask, strikes, beside = [], after, ...plan }: RunOptions): Promise<Outcome> {
  const asked = await answersOf(ask)
  const fleet = await Fleet.start(engines)
  try {
    const subject = await start([...fleet.urls, ...beside.map(({ url }) => url)])
    try {
      const startedMs = performance.now()
      const answers = await load({ ...plan, url: subject.url, questions: asked, strikes: strikes?.(fleet) ?? [] })
      const tookMs = performance.now() - startedMs
      await calm(fleet)
      const work = await fleet.work()
      await after?.(fleet)
      const tries = await subject.tries()
      const count = tries === undefined ? undefined : Object.values(tries).reduce((sum, one) => sum + one, 0)
      return {
        ...tally(answers),
        subject: subject.name,
        answers,
        duplicated: duplicated(answers, (index) => questionOf({ questions: asked }, index).tokens, work),
        retries: count === undefined ? undefined : count - answers.length,
        tries,
        tookMs,
      }
    } finally {
      await subject.close()
    }
  } finally {
    await fleet.close()
  }
}

/** From an engine of its own, so that nobody's cache knows the questions. */
async function answersOf(ask: QuestionOptions): Promise<Question[]> {
  const engine = new SimProcess('reference', ['--profile', 'instant'])
  await engine.start()
  try {
    return await questions(engine.url, ask)
  } finally {
    await engine.close()
  }
}

/** Mends what can still be mended, and waits until no engine works for somebody who is gone. */
async function calm(fleet: Fleet): Promise<void> {
  const living = fleet.engines.filter(({ isAlive }) => isAlive)
  for (const engine of living) engine.resume()
  await Promise.all(living.map((engine) => engine.fault(null)))
  await until(async () => (await Promise.all(living.map((engine) => engine.inside()))).every((count) => count === 0), 30_000)
}
