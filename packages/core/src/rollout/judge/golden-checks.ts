import { matchesOf, schemaFaultOf } from './bounded-match.js'
import type { GoldenAsker, GoldenPrompt } from './golden-prompt.js'

/** Of an answer, that checks look at. */
const mostCharacters = 65_536

/** What is wrong with an answer, in words without its text; undefined: nothing. Throws where another model is needed and gives no answer. */
export async function checkAnswer(prompt: GoldenPrompt, whole: string, asker: GoldenAsker): Promise<string | undefined> {
  const answer = whole.slice(0, mostCharacters)
  if (answer.trim() === '') return 'the answer is empty'
  return (
    (await wrongText(prompt, answer)) ??
    (await wrongJson(prompt, answer)) ??
    (await tooFar(prompt, answer, asker)) ??
    (await refused(prompt, answer, asker))
  )
}

async function wrongText(prompt: GoldenPrompt, answer: string): Promise<string | undefined> {
  const must = listOf(prompt.mustMatch)
  const mustNot = listOf(prompt.mustNotMatch)
  const sources = [...must, ...mustNot]
  if (sources.length === 0) return undefined
  const matches = await matchesOf(sources, answer)
  if (matches === undefined) return 'its regular expressions took longer than a second: simplify them'
  const missing = must.find((_, index) => matches[index] === false)
  if (missing !== undefined) return `the answer (${answer.length} characters) does not match ${missing}`
  const unwanted = mustNot.find((_, index) => matches[must.length + index] === true)
  return unwanted === undefined ? undefined : `the answer (${answer.length} characters) matches ${unwanted}, and must not`
}

async function wrongJson({ jsonSchema }: GoldenPrompt, answer: string): Promise<string | undefined> {
  if (jsonSchema === undefined) return undefined
  const value = parsed(answer)
  if (value === undefined) return 'the answer is no JSON'
  const fault = await schemaFaultOf(jsonSchema, value)
  if (fault === undefined) return 'its JSON schema took longer than a second: simplify its expressions'
  return fault === '' ? undefined : `the answer's JSON is not what the schema asks for: ${fault}`
}

async function tooFar({ similarity }: GoldenPrompt, answer: string, asker: GoldenAsker): Promise<string | undefined> {
  if (similarity === undefined) return undefined
  const [wanted, got] = await asker.embed(similarity.pool, [similarity.to, answer])
  const cosine = cosineOf(wanted ?? [], got ?? [])
  if (!Number.isFinite(cosine)) return `the embeddings of pool ${similarity.pool} are no vectors of numbers`
  if (cosine >= similarity.atLeast) return undefined
  return `the answer is ${cosine.toFixed(2)} like what was expected, at least ${similarity.atLeast} is needed`
}

async function refused({ judge }: GoldenPrompt, answer: string, asker: GoldenAsker): Promise<string | undefined> {
  if (judge === undefined) return undefined
  const question = `${judge.question}\n\nThe text to judge:\n"""\n${answer}\n"""\n\nAnswer with one word: yes or no.`
  // What a judge mumbles says nothing of the answer: it is asked once more.
  const verdict = verdictIn(await asker.askPool(judge.pool, question)) ?? verdictIn(await asker.askPool(judge.pool, question))
  if (verdict === 'yes') return undefined
  return verdict === 'no'
    ? `pool ${judge.pool} says no to: ${judge.question}`
    : `pool ${judge.pool} says neither yes nor no to: ${judge.question}`
}

/** The word that it begins with, else the only one of the two that it says; what a model thinks before it answers is no answer. */
function verdictIn(said: string): 'yes' | 'no' | undefined {
  const text = said.replace(/^[^]*<\/think(?:ing)?>/i, '').toLowerCase()
  const first = /^\W*(?<word>yes|no)\b/.exec(text)?.groups?.['word']
  const words = new Set(first === undefined ? text.match(/\b(?:yes|no)\b/g) : [first])
  const [word] = words
  return words.size === 1 ? (word as 'yes' | 'no') : undefined
}

/** Models like to put JSON into a fence. */
function parsed(answer: string): unknown {
  const fenced = /^\s*```(?:json)?\s*\n(?<body>[^]*?)\n\s*```\s*$/.exec(answer)?.groups?.['body']
  try {
    return JSON.parse(fenced ?? answer) as unknown
  } catch {
    return undefined
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

function cosineOf(left: readonly number[], right: readonly number[]): number {
  let [dot, ofLeft, ofRight] = [0, 0, 0]
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? 0
    dot += value * other
    ofLeft += value * value
    ofRight += other * other
  }
  return dot === 0 ? 0 : dot / Math.sqrt(ofLeft * ofRight)
}
