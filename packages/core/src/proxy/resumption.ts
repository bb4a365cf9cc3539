import type { RosterNode } from '../contracts/index.js'
import { BegunStream, endOfAnswer, whyNot, type StreamInspector } from '../dialects/index.js'
import { LbError } from '../errors/index.js'
import type { Admitted } from './admit.js'

/** Nodes that are asked one after another without one more word coming of it. */
const MOST_FRUITLESS = 4
/** Nodes that may have a part in one answer. */
const MOST_NODES = 16

/** A begun stream whose node went away, as far as another node must know it to go on. Made by the answer that broke off, used up by the next try. */
export interface Resumption {
  /** `exact`: by the ids of the delivered tokens; `text`: by the delivered text. */
  readonly grade: 'exact' | 'text'
  /** The node that broke off: only one of its engine and model can go on. */
  readonly from: RosterNode
  /** All that the client was given. */
  readonly begun: BegunStream
  /** On the monotonic clock. */
  readonly firstContentAtMs: number | undefined
  /** Nodes that were asked to go on; of them, those since the last word. */
  readonly asked: number
  readonly fruitless: number
}

/** What becomes of a stream that broke off: another node goes on, or it was whole already, or it cannot be helped. */
export type AfterBreak =
  | { readonly kind: 'resume'; readonly resumption: Resumption }
  | { readonly kind: 'whole'; readonly rest: string }
  | { readonly kind: 'lost'; readonly why: string }

export interface BrokenStream {
  readonly request: Admitted
  readonly node: RosterNode
  readonly firstContentAtMs: number | undefined
}

/** Judges a stream that its first node broke off. */
export function afterFirstBreak(broken: BrokenStream, inspector: StreamInspector): AfterBreak {
  if (broken.request.pool.continuation === 'off') return { kind: 'lost', why: 'continuation is off for the pool' }
  const begun = BegunStream.of(inspector)
  if (begun === undefined) return { kind: 'lost', why: 'it is more than the plain text of one choice' }
  return afterBreak(broken, { begun, asked: 0, fruitless: 0 })
}

/** Judges a stream that one or more nodes have begun. */
export function afterBreak(
  { request, node, firstContentAtMs }: BrokenStream,
  { begun, asked, fruitless }: Pick<Resumption, 'begun' | 'asked' | 'fruitless'>,
): AfterBreak {
  const { scan } = request
  const limit = scan.maxTokens ?? Number.POSITIVE_INFINITY
  if (begun.finish !== undefined || begun.tokens >= limit) return { kind: 'whole', rest: restOf(request, begun) }
  const why = node.dialect.continuation?.text[request.face] === undefined ? 'its engine cannot be asked to go on' : whyNot(scan, begun)
  if (why !== undefined) return { kind: 'lost', why }
  if (fruitless >= MOST_FRUITLESS || asked >= MOST_NODES) return { kind: 'lost', why: `${asked} nodes were asked to go on` }
  return { kind: 'resume', resumption: { grade: 'text', from: node, begun, firstContentAtMs, asked, fruitless } }
}

/** The end that the node no longer said. Usage that did not come is as we counted it. */
function restOf({ scan, facts, face }: Admitted, begun: BegunStream): string {
  const counted = { promptTokens: facts.promptTokens, completionTokens: begun.tokens }
  return endOfAnswer(begun, {
    isChat: face === 'openai-chat',
    finish: begun.finish === undefined ? 'length' : undefined,
    usage: scan.includeUsage && begun.usage === undefined ? counted : undefined,
  })
}

/** Whether a node can go on with what another one began: the same engine and model, and the engine can be asked to. */
export function canGoOn(node: RosterNode, { from }: Resumption, { face, facts }: Admitted): boolean {
  const name = ({ model = facts.model }: RosterNode): string => model
  return node.engine === from.engine && name(node) === name(from) && node.dialect.continuation?.text[face] !== undefined
}

/** What the client is told in the end. */
export function streamCut(reason: string): LbError {
  return new LbError(`the node that answered went away in mid-stream: ${reason}`, {
    code: 'LB_STREAM_CUT',
    source: 'engine',
    httpStatus: 502,
  })
}
