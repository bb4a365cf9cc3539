/** What is wrong with a golden file, and where. */
export interface GoldenFinding {
  readonly path: readonly (string | number)[]
  readonly message: string
}

type Check = (value: unknown) => string | undefined

const text: Check = (value) => (typeof value === 'string' && value.trim() !== '' ? undefined : 'is a text that is not empty')
const map: Check = (value) => (isMap(value) ? undefined : 'is a map')
const share: Check = (value) => (typeof value === 'number' && value >= 0 && value <= 1 ? undefined : 'is a number from 0 to 1')
const tokens: Check = (value) =>
  Number.isInteger(value) && (value as number) > 0 && (value as number) <= 100_000 ? undefined : 'is a whole number from 1 to 100000'
const messages: Check = (value) =>
  Array.isArray(value) && value.length > 0 && value.every((message) => isMap(message) && typeof message['role'] === 'string')
    ? undefined
    : 'is a list of messages, each with a role'
const pattern: Check = (value) => {
  const patterns = Array.isArray(value) ? value : [value]
  if (patterns.length === 0) return 'is a regular expression, or a list of them'
  for (const one of patterns) {
    if (typeof one !== 'string' || one === '') return 'is a regular expression, or a list of them'
    try {
      regExpOf(one)
    } catch (error) {
      return `is a regular expression: ${(error as Error).message}`
    }
  }
  return undefined
}

const keys: Readonly<Record<string, Check>> = {
  name: text,
  prompt: text,
  messages,
  model: text,
  maxTokens: tokens,
  mustMatch: pattern,
  mustNotMatch: pattern,
  jsonSchema: map,
  similarity: map,
  judge: map,
}
const inner: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  similarity: { to: text, pool: text, atLeast: share },
  judge: { pool: text, question: text },
}
const expectations = ['mustMatch', 'mustNotMatch', 'jsonSchema', 'similarity', 'judge']

/** Checks a golden file as it was read. */
export function checkGolden(value: unknown, mostPrompts: number): readonly GoldenFinding[] {
  if (!Array.isArray(value) || value.length === 0)
    return [{ path: [], message: 'expected a list of prompts: each begins with `- prompt: ...`' }]
  if (value.length > mostPrompts) return [{ path: [mostPrompts], message: `a golden file has at most ${mostPrompts} prompts` }]
  return value.flatMap((prompt, index) => findingsOf(prompt, [index]))
}

/** `/x/i` with its flags, else as it stands. Throws SyntaxError. */
export function regExpOf(source: string): RegExp {
  const slashed = /^\/(?<body>.+)\/(?<flags>[imsu]*)$/s.exec(source)
  return slashed === null ? new RegExp(source, 'u') : new RegExp(slashed.groups?.['body'] as string, slashed.groups?.['flags'])
}

function findingsOf(prompt: unknown, path: readonly (string | number)[]): GoldenFinding[] {
  if (!isMap(prompt)) return [{ path, message: 'expected a map with `prompt` and what its answer must be' }]
  const findings = keysOf(prompt, keys, path)
  if ((prompt['prompt'] === undefined) === (prompt['messages'] === undefined))
    findings.push({ path, message: 'exactly one of `prompt` and `messages` is needed' })
  if (!expectations.some((key) => prompt[key] !== undefined)) {
    findings.push({ path, message: `it says nothing about the answer: one of ${expectations.join(', ')} is needed` })
  }
  for (const [key, checks] of Object.entries(inner)) {
    const part = prompt[key]
    if (!isMap(part)) continue
    findings.push(...keysOf(part, checks, [...path, key]))
    for (const needed of Object.keys(checks)) {
      if (part[needed] === undefined) findings.push({ path: [...path, key], message: `\`${key}\` needs \`${needed}\`` })
    }
  }
  return findings
}

function keysOf(
  value: Readonly<Record<string, unknown>>,
  checks: Readonly<Record<string, Check>>,
  path: readonly (string | number)[],
): GoldenFinding[] {
  return Object.entries(value).flatMap(([key, part]) => {
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined
    const wrong = check === undefined ? `is no key here; known: ${Object.keys(checks).join(', ')}` : check(part)
    return wrong === undefined ? [] : [{ path: [...path, key], message: `\`${key}\` ${wrong}` }]
  })
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
