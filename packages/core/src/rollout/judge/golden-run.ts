import { messageOf } from '../../errors/index.js'
import { checkAnswer } from './golden-checks.js'
import type { GoldenAsker, GoldenPrompt } from './golden-prompt.js'

/** What a golden file came to, as far as it was asked. */
export interface GoldenOutcome {
  readonly asked: number
  readonly passed: number
  /** Where, and what was wrong, never the answer itself; null: nothing was. */
  readonly firstFailure: string | null
}

/** Asked at one moment: golden prompts must not be a load of their own. */
const atOnce = 2
/** One is enough to go back: more are for whoever reads why, and a model that hangs takes a minute for each. */
const mostFailures = 3

/** Asks prompts of the new revision until some have failed, and checks what it answers. Never throws: a prompt without an answer has failed. */
export async function runGolden(prompts: readonly GoldenPrompt[], asker: GoldenAsker, signal?: AbortSignal): Promise<GoldenOutcome> {
  const failures: (string | undefined)[] = []
  const left = [...prompts.entries()]
  const failed = () => failures.filter((failure) => failure !== undefined)
  let asked = 0
  const askNext = async (): Promise<void> => {
    const next = left.shift()
    if (next === undefined || signal?.aborted === true || failed().length >= mostFailures) return
    asked += 1
    failures[next[0]] = await failureOf(next[1], asker)
    return askNext()
  }
  await Promise.all(Array.from({ length: atOnce }, askNext))
  return { asked, passed: asked - failed().length, firstFailure: failed()[0] ?? null }
}

/** An answer that did not come is asked for once more: a golden prompt judges the model, not one connection. */
async function failureOf(prompt: GoldenPrompt, asker: GoldenAsker): Promise<string | undefined> {
  const shown = prompt.name === undefined ? prompt.place : `${prompt.name} (${prompt.place})`
  try {
    const answer = await asker.ask(prompt).catch(() => asker.ask(prompt))
    const wrong = await checkAnswer(prompt, answer, asker)
    return wrong === undefined ? undefined : `${shown}: ${wrong}`
  } catch (error) {
    return `${shown}: ${messageOf(error)}`
  }
}
