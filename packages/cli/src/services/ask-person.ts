import { LbError } from '@plimsoll/core'
import { wrongInput } from '../wrong-input.js'

/** Asks yes or no; no is the default. Throws LB_ABORTED on no, LB_WRONG_INPUT where nobody can be asked. */
export async function confirm(question: string): Promise<void> {
  const answer = await askLine(`${question} [y/N] `)
  if (/^y(es)?$/i.test(answer)) return
  throw new LbError('nothing was changed, as you said', {
    code: 'LB_ABORTED',
    source: 'operator',
    hint: 'add --yes to go on without the question',
  })
}

/** Lets a person choose one of several; the first is the default. */
export async function choose<Choice extends { readonly name: string; readonly summary: string }>(
  title: string,
  choices: readonly Choice[],
): Promise<Choice> {
  const listed = choices.map((choice, index) => `  ${index + 1}  ${choice.summary}\n`).join('')
  const answer = await askLine(`${title}\n${listed}number [1] `)
  const chosen = choices[(answer === '' ? 1 : Number(answer)) - 1] ?? choices.find((choice) => choice.name === answer)
  if (chosen !== undefined) return chosen
  throw wrongInput(`\`${answer}\` is none of them`, `a number from 1 to ${choices.length}, or --template NAME`)
}

/** One line from the terminal; the question goes to stderr, so that stdout stays the answer's. */
async function askLine(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw wrongInput('this asks a question, and there is no terminal to ask on', 'add --yes')
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  const interrupted = new AbortController()
  lines.on('SIGINT', () => interrupted.abort()).on('close', () => interrupted.abort())
  try {
    return (await lines.question(question, { signal: interrupted.signal })).trim()
  } catch (cause) {
    throw new LbError('interrupted; nothing was changed', { code: 'LB_INTERRUPTED', source: 'operator', cause })
  } finally {
    lines.close()
  }
}
