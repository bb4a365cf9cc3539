import type { AnswerQuality } from './request-record.js'

/** One of the two answers to a request that was copied. */
export interface ShadowAnswer {
  /** `pool/node`; null: no node was asked. */
  readonly node: string | null
  /** Status of the engine's answer; 0: none came. */
  readonly status: number
  /** Why there is no whole answer, for people; null: there is one. */
  readonly failure: string | null
  /** From the node's being asked to the first content of a stream; null without one. */
  readonly ttftMs: number | null
  /** From the node's being asked to the end. */
  readonly totalMs: number
  /** By the engine's usage, else counted; null: unknown. */
  readonly completionTokens: number | null
  /** Null: the answer is none of text, or was not whole. */
  readonly quality: AnswerQuality | null
}

/** A request that was answered, and its copy at a revision that answers nobody. */
export interface ShadowPair {
  /** The request's id. */
  readonly id: string
  readonly pool: string
  /** That the copy went to. */
  readonly revision: string
  /** What the client was given. */
  readonly main: ShadowAnswer
  readonly copy: ShadowAnswer
  /** Both texts are there, and equal to the character. */
  readonly sameText: boolean
  /** How alike the texts are, 0..1, by the groups of three words that both have; null: one of them is not there. */
  readonly similarity: number | null
}
