/** What the streams of row a3 ask for, and where they are cut. */
import type { Cut } from './cut-point.js'
import type { Seeded } from './seeded.js'
import { shapesModel } from './shapes-engine.js'
import type { Ask, Seen } from './stream-reader.js'

export interface Story {
  readonly name: string
  readonly ask: Ask
  readonly model: string
  /** Plain text from one choice, in a pool that continues: it must come out whole. Others must end honestly. */
  readonly isEligible: boolean
}

const messages = (index: number) => [{ role: 'user', content: `Tell me story ${index} of the harbour, please. Möglichst kurz 🚢` }]
const usage = { stream_options: { include_usage: true } }

/** Kinds that are to come out whole, by name; `index` makes each request another one. */
const eligible: Readonly<Record<string, (index: number) => Ask>> = {
  chat: (index) => ({ path: 'chat', body: { messages: messages(index) } }),
  'chat with usage': (index) => ({ path: 'chat', body: { messages: messages(index), ...usage } }),
  'chat up to a limit': (index) => ({ path: 'chat', body: { messages: messages(index), max_tokens: 30 + (index % 60), ...usage } }),
  'chat with a system prompt and history': (index) => ({
    path: 'chat',
    body: {
      messages: [
        { role: 'system', content: 'You are terse.' },
        ...messages(index),
        { role: 'assistant', content: 'No.' },
        { role: 'user', content: 'Why not?' },
      ],
      max_completion_tokens: 60,
      temperature: 0,
    },
  }),
  completion: (index) => ({ path: 'completions', body: { prompt: `Story ${index}:`, max_tokens: 50 + (index % 40), ...usage } }),
}

const plain = (index: number): Record<string, unknown> => ({ messages: messages(index), max_tokens: 60 })
const look = { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }

/** Kinds that cannot be continued: by what they ask, by what comes, by the pool. */
const others: Readonly<Record<string, readonly [model: string, ask: (index: number) => Ask]>> = {
  tools: ['sim-8b', (index) => ({ path: 'chat', body: { ...plain(index), tools: [look] } })],
  'a JSON schema': ['sim-8b', (index) => ({ path: 'chat', body: { ...plain(index), response_format: { type: 'json_object' } } })],
  'continuation: off': ['sim-off', (index) => ({ path: 'chat', body: plain(index) })],
  'continuation: off, completion': ['sim-off', (index) => ({ path: 'completions', body: { prompt: `Story ${index}:`, max_tokens: 60 } })],
  'two choices': [shapesModel, (index) => ({ path: 'chat', body: { ...plain(index), n: 2 } })],
  logprobs: [shapesModel, (index) => ({ path: 'chat', body: { ...plain(index), logprobs: true } })],
  'a tool call': [shapesModel, (index) => ({ path: 'chat', body: { ...plain(index), tools: [look] } })],
  reasoning: [shapesModel, (index) => ({ path: 'chat', body: { ...plain(index), x_reasoning: true } })],
  echo: [shapesModel, (index) => ({ path: 'completions', body: { prompt: `Story ${index}`, echo: true } })],
}

export function eligibleStories(count: number): Story[] {
  const kinds = Object.entries(eligible)
  return Array.from({ length: count }, (_, index) => {
    const [name, ask] = kinds[index % kinds.length] as (typeof kinds)[number]
    return { name, ask: ask(index), model: 'sim-8b', isEligible: true }
  })
}

export function otherStories(count: number): Story[] {
  const kinds = Object.entries(others)
  return Array.from({ length: count }, (_, index) => {
    const [name, [model, ask]] = kinds[index % kinds.length] as (typeof kinds)[number]
    return { name, ask: ask(index), model, isEligible: false }
  })
}

export interface CutOptions {
  /** Absent: one. The second cuts what another node goes on with, and so on. */
  readonly count?: number
  /** Absent: politely and by reset. */
  readonly hows?: readonly Cut['how'][]
}

/** The first is uniform over the events of the unbroken answer, each further one over what was left then: one in three between two events, one inside, one inside a character. */
export function drawCuts(reference: Seen, random: Seeded, { count = 1, hows = ['end', 'reset'] }: CutOptions = {}): Cut[] {
  let events = reference.raw.split('\n\n').slice(0, -1)
  return Array.from({ length: count }, () => {
    const cut = { ...drawPlace(events, random), how: random.pick(hows) }
    events = events.slice(Math.min(cut.event, events.length - 1))
    return cut
  })
}

function drawPlace(events: readonly string[], random: Seeded): Pick<Cut, 'event' | 'at' | 'bytes'> {
  const event = random.below(events.length)
  const at = random.pick(['between', 'inside', 'character'] as const)
  if (at === 'between') return { event, at }
  const wide = events.flatMap((text, index) => (/[^\0-\x7f]/u.test(text) ? [index] : []))
  if (at === 'character' && wide.length > 0) return { event: random.pick(wide), at }
  return { event, at: 'inside', bytes: 1 + random.below(Buffer.byteLength(events[event] ?? '')) }
}
