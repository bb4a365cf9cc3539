import type { ExactContinuation, RosterNode, Usage } from '../contracts/index.js'
import {
  BegunStream,
  endOfAnswer,
  isContinuable,
  promptOf,
  stopsOf,
  whyNot,
  type StreamInspector,
  type TokenLedger,
} from '../dialects/index.js'
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
  /** Of an exact one: what stands before the delivered tokens; undefined: it must be asked for. */
  readonly prompt: readonly (string | number)[] | undefined
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
  | {
      readonly kind: 'whole'
      readonly rest: string
      /** Where usage did not come, and the ids of all tokens did. */ readonly counted: Usage | undefined
    }
  | { readonly kind: 'lost'; readonly why: string }

export interface BrokenStream {
  readonly request: Admitted
  readonly node: RosterNode
  readonly firstContentAtMs: number | undefined
}

/** What is kept of a stream on its way, so that another node could go on with it: its text, and the ids of its tokens where `exact` tells how they come. Undefined: nothing. */
export function keptFor(
  { pool, face, scan }: Admitted,
  { dialect }: RosterNode,
): { readonly exact: ExactContinuation | undefined } | undefined {
  const { continuation } = dialect
  if (pool.continuation === 'off' || continuation?.text[face] === undefined || !isContinuable(scan)) return undefined
  return { exact: pool.continuation === 'exact' ? continuation.exact?.[face] : undefined }
}

/** Judges a stream that its first node broke off. */
export function afterFirstBreak(broken: BrokenStream, inspector: StreamInspector, ids?: TokenLedger): AfterBreak {
  if (broken.request.pool.continuation === 'off') return { kind: 'lost', why: 'continuation is off for the pool' }
  const begun = BegunStream.of(inspector, ids)
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
  if (begun.finish !== undefined || begun.tokens >= limit) return { kind: 'whole', rest: restOf(request, begun), counted: countedIn(begun) }
  const why = node.dialect.continuation?.text[request.face] === undefined ? 'its engine cannot be asked to go on' : whyNot(scan, begun)
  if (why !== undefined) return { kind: 'lost', why }
  if (fruitless >= MOST_FRUITLESS || asked >= MOST_NODES) return { kind: 'lost', why: `${asked} nodes were asked to go on` }
  const resumption = { from: node, begun, firstContentAtMs, asked, fruitless }
  const exact = exactly(request, node, begun)
  return { kind: 'resume', resumption: { ...resumption, grade: exact === undefined ? 'text' : 'exact', prompt: exact?.prompt } }
}

/** Undefined where some id may be missing, or a text that was held back for a stop sequence: the text is all that is known then. */
function exactly(request: Admitted, node: RosterNode, begun: BegunStream): Pick<Resumption, 'prompt'> | undefined {
  const { scan } = request
  const how = keptFor(request, node)?.exact
  const text = begun.ledger.text() ?? ''
  if (how === undefined || !text.isWellFormed() || stopsOf(scan).length > 0 || begun.ids?.idsOf(text) === undefined) return undefined
  if (how.needsLimit === true && scan.maxTokens === undefined && node.contextTokens === undefined) return undefined
  const prompt = how.promptField === undefined ? promptOf(scan) : begun.ids.prompt
  return prompt === undefined && how.render === undefined ? undefined : { prompt }
}

/** The end that the node no longer said. Usage that did not come is as we counted it. */
function restOf({ scan, facts, face }: Admitted, begun: BegunStream): string {
  const counted = countedIn(begun) ?? { promptTokens: facts.promptTokens, completionTokens: begun.tokens }
  return endOfAnswer(begun, {
    isChat: face === 'openai-chat',
    finish: begun.finish === undefined ? 'length' : undefined,
    usage: scan.includeUsage && begun.usage === undefined ? counted : undefined,
  })
}

function countedIn({ usage, ids, tokens }: BegunStream): Usage | undefined {
  const prompt = ids?.prompt
  return usage !== undefined || prompt === undefined ? undefined : { promptTokens: prompt.length, completionTokens: tokens }
}

/** Whether a node can go on with what another one began: the same engine and model, the same weights where revisions differ, and the engine can be asked to. */
export function canGoOn(node: RosterNode, { from }: Resumption, { face, facts, pool, parting }: Admitted): boolean {
  const name = ({ model = facts.model }: RosterNode): string => model
  if (node.engine !== from.engine || name(node) !== name(from) || node.dialect.continuation?.text[face] === undefined) return false
  return loadTheSame(pool, revisionAt(node, parting), revisionAt(from, parting))
}

/** Whether a node of the trusted revision could, were one there. */
export function canGoOnAtTrusted({ pool, parting }: Admitted, { from }: Resumption): boolean {
  return loadTheSame(pool, parting?.trusted ?? '', revisionAt(from, parting))
}

function loadTheSame({ weights }: Admitted['pool'], mine: string, its: string): boolean {
  const loaded = weights?.get(its)
  return mine === its || (loaded !== undefined && loaded === weights?.get(mine))
}

/** Ids of tokens mean the same to nodes of one revision only: another one goes on by the text. */
export function gradeFor(node: RosterNode, { grade, from }: Resumption, { parting }: Admitted): Resumption['grade'] {
  return revisionAt(node, parting) === revisionAt(from, parting) ? grade : 'text'
}

/** A node that says nothing of it runs the trusted one, also where the other was taken back meanwhile. */
function revisionAt(node: RosterNode, parting: Admitted['parting']): string {
  return parting?.revisionOf(node) ?? node.revision ?? ''
}

/** What the client is told in the end. */
export function streamCut(reason: string): LbError {
  return new LbError(`the node that answered went away in mid-stream: ${reason}`, {
    code: 'LB_STREAM_CUT',
    source: 'engine',
    httpStatus: 502,
  })
}
