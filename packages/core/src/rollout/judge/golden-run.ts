import { messageOf } from '../../errors/index.js'
import { checkAnswer } from './golden-checks.js'
import type { GoldenAsker, GoldenPrompt } from './golden-prompt.js'

/** What a golden file came to. */
export interface GoldenOutcome {
  readonly asked: number
  readonly passed: number
  /** Where, and what was wrong, never the answer itself; null: nothing was. */
  readonly firstFailure: string | null
}

/** Asked at one moment: golden prompts must not be a load of their own. */
const atOnce = 2

/** Asks all prompts of the new revision and checks what it answers. Never throws: a prompt without an answer has failed. */
export async function runGolden(prompts: readonly GoldenPrompt[], asker: GoldenAsker, signal?: AbortSignal): Promise<GoldenOutcome> {
  const failures: (string | undefined)[] = []
  let next = 0
  const worker = async () => {
    while (next < prompts.length && signal?.aborted !== true) {
      const index = next++
      failures[index] = await failureOf(prompts[index] as GoldenPrompt, asker)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const failed = failures.filter((failure) => failure !== undefined)
  return { asked: prompts.length, passed: prompts.length - failed.length, firstFailure: failed[0] ?? null }
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
