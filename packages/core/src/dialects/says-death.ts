import type { AnswerClass, Dialect } from '../contracts/index.js'
import type { StreamEvent } from './stream-event.js'

const OF_THE_NODE: ReadonlySet<AnswerClass> = new Set<AnswerClass>(['death', 'retry', 'cooldown', 'loading'])

/** Whether an event that ends a stream says that its node cannot go on: an error that is no fault of the request, or an end that the dialect knows for none. */
export function saysDeath(dialect: Dialect, { kind, fields }: StreamEvent): boolean {
  const text = JSON.stringify(fields)
  if (kind === 'error') return OF_THE_NODE.has(dialect.classify(500, {}, text))
  return dialect.streamEnd(`data: ${text}\n\n`) === 'error'
}
