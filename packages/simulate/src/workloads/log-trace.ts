import type { PromptRun } from '../workload.js'
import { countBlocks, joinBlocks } from './join-blocks.js'
import type { LoggedRequest } from './request-log.js'
import type { Trace, TraceRow } from './trace.js'

/** The gateway's blocks (docs/reference/request-record.md): small ones in front, large ones behind. */
const SMALL_BLOCK_BYTES = 256
const SMALL_BLOCKS = 64
const LARGE_BLOCK_BYTES = 2048
/** A prompt that goes on from another holds its answer, give or take what templates add and chat formats leave away. */
const ANSWER_SHARE = 0.8

/** A request on its way to a row: what goes on from it is found first. */
interface Draft {
  readonly logged: LoggedRequest
  readonly blocks: readonly PromptRun[]
  next: Draft | undefined
  follows: boolean
}

/**
 * Yesterday's requests as a trace. Prompts are told apart as far as the log's prefix hashes go. A request whose prompt begins with the whole prompt of an
 * earlier one that had ended, and is longer by its answer, is taken for the next turn of that conversation: it waits for the answer in the replay too.
 */
export function logTrace(name: string, requests: readonly LoggedRequest[]): Trace {
  const ids = { next: 1 }
  const drafts = draftsOf(requests, ids)
  linkConversations(drafts)
  const counts = countBlocks(drafts.map(({ blocks }) => blocks))
  const startMs = requests[0]?.arrivedAtMs ?? 0
  const rows = drafts.filter(({ follows }) => !follows).map((draft) => rowOf(draft, counts, startMs, ids))
  return { name, rows, requests: requests.length }
}

function draftsOf(requests: readonly LoggedRequest[], ids: { next: number }): Draft[] {
  const known = new Map<string, PromptRun>()
  return requests.map((logged) => {
    const sizes = blockTokens(logged)
    const blocks = logged.prefixHashes.map((hash, at) => {
      const block = known.get(hash) ?? { id: ids.next++, tokens: Math.max(1, Math.round(sizes(at + 1)) - Math.round(sizes(at))) }
      known.set(hash, block)
      return block
    })
    const rest = { id: ids.next++, tokens: Math.max(1, logged.promptTokens - tokensOf(blocks)) }
    return { logged, blocks: [...blocks, rest], next: undefined, follows: false }
  })
}

/** Tokens of the first so many blocks, if all bytes of the prompt had as many: hashes cover whole blocks, so half a block more is taken to be there. */
function blockTokens({ promptTokens, prefixHashes: { length } }: LoggedRequest): (blocks: number) => number {
  const lastBytes = length < SMALL_BLOCKS ? SMALL_BLOCK_BYTES : LARGE_BLOCK_BYTES
  const perByte = promptTokens / (bytesOf(length) + lastBytes / 2)
  return (blocks) => perByte * bytesOf(blocks)
}

function bytesOf(blocks: number): number {
  return Math.min(blocks, SMALL_BLOCKS) * SMALL_BLOCK_BYTES + Math.max(0, blocks - SMALL_BLOCKS) * LARGE_BLOCK_BYTES
}

/** Only the request that brought a block first can be the one before: a system prompt that all share makes no conversation of strangers. */
function linkConversations(drafts: readonly Draft[]): void {
  const lastOf = new Map<string, Draft>()
  const seen = new Set<string>()
  for (const draft of drafts) {
    const { prefixHashes } = draft.logged
    const before = prefixHashes.map((hash) => lastOf.get(hash)).findLast((found) => found !== undefined)
    if (before !== undefined && before.next === undefined && isAnswerInside(before.logged, draft.logged)) {
      before.next = draft
      draft.follows = true
    }
    const last = prefixHashes.at(-1)
    if (last !== undefined && (draft.follows || !seen.has(last))) lastOf.set(last, draft)
    for (const hash of prefixHashes) seen.add(hash)
  }
}

function isAnswerInside(before: LoggedRequest, after: LoggedRequest): boolean {
  if (after.arrivedAtMs < before.arrivedAtMs + before.totalMs) return false
  return after.promptTokens >= before.promptTokens + ANSWER_SHARE * before.completionTokens
}

/** A conversation as one row: each prompt is the one before, its answer, and what is new. */
function rowOf(first: Draft, counts: ReadonlyMap<number, number>, startMs: number, ids: { next: number }): TraceRow {
  const turns: { draft: Draft; row: TraceRow }[] = []
  let prompt = joinBlocks(first.blocks, counts)
  for (let draft: Draft | undefined = first; draft !== undefined; draft = draft.next) {
    const { logged, next } = draft
    const row = { atMs: logged.arrivedAtMs - startMs, prompt, outputTokens: logged.completionTokens }
    if (next === undefined) turns.push({ draft, row })
    else {
      const answer = { id: ids.next++, tokens: logged.completionTokens }
      const added = Math.max(1, next.logged.promptTokens - tokensOf(prompt) - answer.tokens)
      turns.push({ draft, row: { ...row, answerId: answer.id, session: `s${answer.id}` } })
      prompt = [...prompt, answer, { id: ids.next++, tokens: added }]
    }
  }
  return turns.reduceRight<TraceRow | undefined>((after, { draft, row }) => {
    if (after === undefined || draft.next === undefined) return row
    const thinkMs = draft.next.logged.arrivedAtMs - draft.logged.arrivedAtMs - draft.logged.totalMs
    return { ...row, next: { thinkMs, row: after } }
  }, undefined) as TraceRow
}

function tokensOf(prompt: readonly PromptRun[]): number {
  return prompt.reduce((sum, { tokens }) => sum + tokens, 0)
}
