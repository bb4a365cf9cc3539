import type { Usage } from '../contracts/index.js'
import { usageOf } from './usage.js'

/** What one SSE event of an OpenAI stream says, as far as the corridor cares. */
export interface StreamEvent {
  readonly kind: 'content' | 'meta' | 'error' | 'done' | 'comment'
  /** The content's text, when that is all that the event brings: one choice, not finished. */
  readonly text?: string
  readonly usage?: Usage
  /** An event that carries usage and no choices: the one that `include_usage` adds. */
  readonly usageOnly: boolean
  /** It is no JSON at all: no honest engine says that. */
  readonly isGarbage?: true
  /** Why the choice ended, where it did. */
  readonly finish?: string
  /** The whole event, parsed. */
  readonly fields?: Readonly<Record<string, unknown>>
}

/** Reads one whole event. Bytes that are no JSON count as content: they are the engine's answer, whatever it means by them. */
export function readStreamEvent(event: Uint8Array): StreamEvent {
  const data = dataOf(Buffer.from(event.buffer, event.byteOffset, event.byteLength).toString('utf8'))
  if (data === undefined) return { kind: 'comment', usageOnly: false }
  if (data === '[DONE]') return { kind: 'done', usageOnly: false }
  const parsed = parse(data)
  if (parsed === undefined) return { kind: 'content', usageOnly: false, isGarbage: true }
  const usage = usageOf(parsed['usage'])
  const choices = Array.isArray(parsed['choices']) ? (parsed['choices'] as unknown[]) : []
  const failed = parsed['error'] !== undefined && parsed['error'] !== null
  const kind = failed ? 'error' : choices.some(hasContent) ? 'content' : 'meta'
  const text = kind === 'content' && choices.length === 1 ? plainText(choices[0]) : undefined
  return {
    kind,
    usageOnly: usage !== undefined && choices.length === 0,
    ...(text === undefined ? {} : { text }),
    ...(usage === undefined ? {} : { usage }),
    ...finishOf(choices),
    fields: parsed,
  }
}

function dataOf(text: string): string | undefined {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'))
  return lines.length === 0 ? undefined : lines.map((line) => line.slice(5).replace(/^ /, '')).join('\n')
}

function parse(data: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

interface Choice {
  readonly delta?: unknown
  readonly text?: unknown
  readonly finish_reason?: unknown
}

/** A delta with nothing but a role, or an end with nothing before it, is no content: a request that got no more can still move to another node. */
function hasContent(choice: unknown): boolean {
  if (typeof choice !== 'object' || choice === null) return false
  const { delta, text } = choice as Choice
  if (typeof text === 'string' && text !== '') return true
  return deltaEntries(delta).length > 0
}

function finishOf(choices: readonly unknown[]): { readonly finish?: string } {
  const finish = choices.map((choice) => (choice as Choice | null)?.finish_reason).find((reason) => typeof reason === 'string')
  return finish === undefined ? {} : { finish: finish as string }
}

/** The text of a choice that brings text and nothing else. */
function plainText(choice: unknown): string | undefined {
  const { delta, text, finish_reason: finish } = choice as Choice
  if (finish !== undefined && finish !== null) return undefined
  if (typeof text === 'string') return text
  const [entry, ...more] = deltaEntries(delta)
  return entry?.[0] === 'content' && typeof entry[1] === 'string' && more.length === 0 ? entry[1] : undefined
}

/** What a delta brings besides a role. */
function deltaEntries(delta: unknown): (readonly [string, unknown])[] {
  if (typeof delta !== 'object' || delta === null) return []
  return Object.entries(delta).filter(
    ([name, value]) => name !== 'role' && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
  )
}
