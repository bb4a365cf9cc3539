import type { Usage } from '../contracts/index.js'
import { usageOf } from './usage.js'

/** What one SSE event of an OpenAI stream says, as far as the corridor cares. */
export interface StreamEvent {
  readonly kind: 'content' | 'meta' | 'error' | 'done' | 'comment'
  readonly usage?: Usage
  /** An event that carries usage and no choices: the one that `include_usage` adds. */
  readonly usageOnly: boolean
}

const DONE = 'data: [DONE]'

/** Reads one whole event. Bytes that are no JSON count as content: they are the engine's answer, whatever it means by them. */
export function readStreamEvent(event: Uint8Array): StreamEvent {
  const data = dataOf(Buffer.from(event.buffer, event.byteOffset, event.byteLength).toString('utf8'))
  if (data === undefined) return { kind: 'comment', usageOnly: false }
  if (data === '[DONE]') return { kind: 'done', usageOnly: false }
  const parsed = parse(data)
  if (parsed === undefined) return { kind: 'content', usageOnly: false }
  const usage = usageOf(parsed['usage'])
  const choices = Array.isArray(parsed['choices']) ? (parsed['choices'] as unknown[]) : []
  const kind = parsed['error'] !== undefined && parsed['error'] !== null ? 'error' : choices.some(hasContent) ? 'content' : 'meta'
  return { kind, usageOnly: usage !== undefined && choices.length === 0, ...(usage === undefined ? {} : { usage }) }
}

/** Cheap test before reading an event of a stream that has begun: only these three kinds still matter then. */
export function mayMatter(event: Buffer): boolean {
  return event.includes('"usage"') || event.includes('"error"') || event.includes(DONE)
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

/** A delta with nothing but a role is no content: a request that got no more can still move to another node. */
function hasContent(choice: unknown): boolean {
  if (typeof choice !== 'object' || choice === null) return false
  const { delta, text, finish_reason: finish } = choice as { delta?: unknown; text?: unknown; finish_reason?: unknown }
  if (typeof text === 'string' && text !== '') return true
  if (finish !== undefined && finish !== null) return true
  if (typeof delta !== 'object' || delta === null) return false
  return Object.entries(delta).some(
    ([name, value]) => name !== 'role' && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
  )
}
