/** One client whose request crashes every engine that it meets, and that asks again as official clients do; innocents beside it. */
import { setTimeout as pause } from 'node:timers/promises'
import { ask } from './client.js'
import { Fleet, SimProcess } from './engines.js'
import { load } from './load.js'
import { questions, unanswered, type Question } from './questions.js'
import { LbSubject, type Start, type Subject } from './subjects.js'
import { tally, type Tally } from './tally.js'

const WORD = 'arsenic'
export const poisonFault = `poison:${WORD}`
/** The first and its repetitions, where it was answered with nothing or a 5xx. */
const MOST_TRIES = 5
const innocent = { count: 32, maxTokens: 40 }

export interface Poisoning {
  readonly subject: string
  /** Of 4. */
  readonly nodesLost: number
  /** What the poisoner was answered, in turn; 0: nothing. */
  readonly statuses: readonly number[]
  readonly innocents: Tally
}

export interface PoisonOptions {
  readonly innocents: number
  readonly concurrency: number
  /** The poisoner comes when so many innocents have begun. */
  readonly after: number
  /** Of everybody's answers; 30 s where nothing is said. */
  readonly deadlineMs?: number
}

/** Four attached engines, which nobody starts again. */
export async function poisonAttached(start: Start, options: PoisonOptions): Promise<Poisoning> {
  const fleet = await Fleet.start({ flags: ['--profile', '8b-h100', '--fault', poisonFault] })
  try {
    const subject = await start(fleet.urls)
    return await poison(subject, options, () => Promise.resolve(fleet.engines.filter(({ isAlive }) => !isAlive).length))
  } finally {
    await fleet.close()
  }
}

/** Four engines that lb has launched, and starts again. */
export async function poisonLaunched(options: PoisonOptions): Promise<Poisoning> {
  const subject = await LbSubject.launched(`8b-h100, fault: '${poisonFault}'`, 'lb')([])
  return poison(subject, options, async () => {
    const lost = await subject.lost()
    await subject.allReady()
    return lost
  })
}

async function poison(
  subject: Subject,
  { deadlineMs = 30_000, ...options }: PoisonOptions,
  lost: () => Promise<number>,
): Promise<Poisoning> {
  try {
    const asked = await innocentQuestions()
    let statuses: readonly number[] = []
    const answers = await load({
      url: subject.url,
      questions: asked,
      total: options.innocents,
      concurrency: options.concurrency,
      deadlineMs,
      strikes: [{ at: { started: options.after }, act: async () => void (statuses = await poisoner(subject.url, deadlineMs)) }],
    })
    return { subject: subject.name, nodesLost: await lost(), statuses, innocents: tally(answers) }
  } finally {
    await subject.close()
  }
}

async function innocentQuestions(): Promise<Question[]> {
  const engine = new SimProcess('reference', ['--profile', 'instant'])
  await engine.start()
  try {
    return await questions(engine.url, innocent)
  } finally {
    await engine.close()
  }
}

async function poisoner(url: string, deadlineMs: number): Promise<number[]> {
  const statuses: number[] = []
  const question = unanswered(0, { count: 1, maxTokens: 24, more: { user: WORD } })
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const { status, kind } = await ask(url, question, { stream: false, deadlineMs })
    statuses.push(status)
    if (kind === 'whole' || (status >= 400 && status < 500)) break
    await pause(500)
  }
  return statuses
}
