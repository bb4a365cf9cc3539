/** Everybody at once: plain requests and streams of many lengths, the official library for a part, and some streams that last and last. */
import { SimProcess } from '../reliability/engines.js'
import { questions, type Question } from '../reliability/questions.js'
import type { Answered } from '../reliability/client.js'
import { SteadyLoad } from '../e2e/steady-load.js'
import { OpenaiClients } from './openai-clients.js'

export interface MixOptions {
  /** In all; a tenth is the official library, a twentieth asks for long streams. */
  readonly clients: number
  /** Of a long stream. */
  readonly longTokens: number
  readonly deadlineMs: number
  /** Between two questions of one client, in the middle. */
  readonly pauseMs?: number
}

/** With the right answer to each. */
export interface QuestionSet {
  readonly short: readonly Question[]
  readonly long: readonly Question[]
}

const sets = new Map<number, Promise<QuestionSet>>()

/** Asked once of an engine that nobody else knows; the same in each run. */
export function questionSet(longTokens: number): Promise<QuestionSet> {
  const known = sets.get(longTokens) ?? askAll(longTokens)
  sets.set(longTokens, known)
  return known
}

async function askAll(longTokens: number): Promise<QuestionSet> {
  const engine = new SimProcess('reference', ['--profile', 'instant'])
  await engine.start()
  try {
    const quick = await questions(engine.url, { count: 30, maxTokens: 20, promptWords: 8 })
    const wordy = await questions(engine.url, { count: 15, maxTokens: 40, promptWords: 120 })
    const natural = await questions(engine.url, { count: 5, maxTokens: 200, promptWords: 30 })
    const long = await questions(engine.url, { count: 10, maxTokens: longTokens, promptWords: 12, more: { ignore_eos: true } })
    return { short: mixed(quick, wordy, natural), long }
  } finally {
    await engine.close()
  }
}

/** So that any few that follow one another are of every kind. */
function mixed(...sets: readonly (readonly Question[])[]): Question[] {
  const placed = sets.flatMap((set) => set.map((question, index) => ({ question, place: (index + 0.5) / set.length })))
  return placed.sort((a, b) => a.place - b.place).map(({ question }) => question)
}

export class MixedClients {
  private readonly loads: readonly { readonly answers: readonly Answered[]; stop(): Promise<readonly Answered[]> }[]

  constructor(url: string, { short, long }: QuestionSet, { clients, deadlineMs, pauseMs = 0 }: Omit<MixOptions, 'longTokens'>) {
    const official = Math.max(2, Math.round(clients / 10))
    const patient = Math.max(2, Math.round(clients / 20))
    const from = (list: readonly Question[]) => (index: number) => list[index % list.length] as Question
    this.loads = [
      new SteadyLoad({ url, clients: clients - official - patient, question: from(short), deadlineMs, pauseMs }),
      new SteadyLoad({ url, clients: patient, question: from(long), stream: () => true, deadlineMs, pauseMs }),
      new OpenaiClients({ url, clients: official, question: from(short), deadlineMs, pauseMs }),
    ]
  }

  get answered(): number {
    return this.loads.reduce((sum, { answers }) => sum + answers.length, 0)
  }

  /** Ends when all that was asked is answered. */
  async stop(): Promise<readonly Answered[]> {
    return (await Promise.all(this.loads.map((load) => load.stop()))).flat()
  }
}
