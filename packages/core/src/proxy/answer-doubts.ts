import type { AnswerClass, RosterNode } from '../contracts/index.js'
import type { Admitted } from './admit.js'
import type { BodyReader } from './body-reader.js'

/** A whole answer of which the client has seen nothing. */
export interface WholeAnswer {
  readonly status: number
  readonly verdict: AnswerClass
  readonly reader: BodyReader
}

/**
 * Why the answer of a revision that is tried out is not passed on before the trusted one was asked, for people; undefined: it is passed on. A mistake of the
 * client's own is told once more by the trusted revision: that it is one is what nobody knows of a revision that is tried out.
 */
export function doubtOf({ parting }: Admitted, node: RosterNode, { status, verdict, reader }: WholeAnswer): string | undefined {
  if (parting?.doubts(node) !== true) return undefined
  if (status >= 400) return `${status} (${verdict})`
  const { stream } = reader
  if (stream?.hasContent === false) return stream.hasError ? 'its stream is an error' : 'its stream ended without content'
  const quality = reader.watch?.quality()
  if (quality?.isEmpty === true) return 'its answer is empty'
  if (quality?.isMalformed === true) return 'its answer is no JSON, which was asked for'
  return quality?.isRepeating === true ? REPEATS : undefined
}

export const REPEATS = 'its answer says the same over and over'

/** What is wrong with the request itself, most of the time: its client is told at once where nobody trusted is there who could know better. */
const OWN_MISTAKES: ReadonlySet<number | undefined> = new Set([400, 413, 415, 422])

export function isOwnMistake(status: number | undefined): boolean {
  return OWN_MISTAKES.has(status)
}
