import type { AttemptRecord, NodeState, Roster, RosterNode } from '../../contracts/index.js'
import { LbError } from '../../errors/index.js'
import { whyLeftOut, type Question } from '../filters.js'

/** Why a request has no node to go to, and whether waiting helps. */
export interface Lack {
  /** A node that could take it may be there again without anybody's doing something. */
  readonly mayComeBack: boolean
  /** Until the first node that asked for a pause may be asked again; undefined: none did. */
  readonly soonestMs: number | undefined
  /** What to tell the client who is refused. */
  error(): LbError
}

export interface LackOptions {
  readonly roster: Roster
  readonly question: Question
  /** Tries so far. */
  readonly records: readonly AttemptRecord[]
  /** Nodes that failed it may be asked again. */
  readonly mayAskAgain: boolean
}

interface Absence {
  readonly node: string
  readonly reason: string
  readonly kind: 'unable' | 'resting' | 'loading' | 'down' | 'tried'
  readonly mayComeBack: boolean
}

/** Nodes that a client is told of. */
const TOLD = 4
const MOST_REASON = 160
const LOADING_RETRY_MS = 2_000
const DOWN_RETRY_MS = 5_000

export function lackOf({ roster, question, records, mayAskAgain }: LackOptions): Lack {
  const { pool } = question.request
  const resting: number[] = []
  const ready = roster.nodes
    .filter((node) => node.pool === pool.name && node.state === 'ready')
    .map((node): Absence => {
      const why = whyLeftOut(node, question)
      const restMs = question.cooldowns.leftMs(node, question.nowMs())
      const isUnable = why === undefined || why.filter === 'face' || why.filter === 'labels' || why.filter === 'continuation'
      if (!isUnable && why.filter === 'cooldown') resting.push(restMs)
      if (isUnable) return { node: node.id, reason: why?.reason ?? 'takes no requests right now', kind: why === undefined ? 'down' : 'unable', mayComeBack: why === undefined }
      const isTried = why.filter === 'tried'
      return { node: node.id, reason: isTried ? (lastWord(records, node) ?? why.reason) : why.reason, kind: isTried ? 'tried' : 'resting', mayComeBack: mayAskAgain || !isTried }
    })
  const absent = roster.absent(pool.name).map((node): Absence => {
    const isLabelled = question.request.requiredLabels?.every(([name, value]) => node.labels?.[name] === value) !== false
    const reason = isLabelled ? stateReason(node) : 'lacks the labels'
    const isLoading = node.state === 'loading' || node.state === 'starting' || node.state === 'declared'
    const kind = isLabelled ? (isLoading ? 'loading' : 'down') : 'unable'
    return { node: node.id, reason, kind, mayComeBack: isLabelled && node.mayComeBack && (mayAskAgain || lastWord(records, node) === undefined) }
  })
  const all = [...ready, ...absent]
  const soonestMs = resting.length === 0 ? undefined : Math.min(...resting)
  return { mayComeBack: all.some((each) => each.mayComeBack), soonestMs, error: () => refusal(question, all, soonestMs) }
}

function refusal({ request: { pool, requiredLabels, requestId } }: Question, all: readonly Absence[], soonestMs: number | undefined): LbError {
  const able = all.filter(({ kind }) => kind !== 'unable')
  const about = { source: 'lb', httpStatus: 503, retry: 'after-wait' } as const
  if (able.length === 0 && all.length > 0 && requiredLabels !== undefined)
    return new LbError(`no node of pool ${pool.name} has the labels ${requiredLabels.map(([name, value]) => `${name}=${value}`).join(', ')}`, {
      ...about,
      code: 'LB_NO_NODE_WITH_LABELS',
      retryAfterMs: DOWN_RETRY_MS,
      hint: `the operator sees what each node lacks with \`lb why ${requestId}\`, where the request was traced`,
    })
  const isLoading = able.some(({ kind }) => kind === 'loading')
  const isResting = able.length > 0 && able.every(({ kind }) => kind === 'resting')
  const code = isResting ? 'LB_NODES_RESTING' : isLoading ? 'LB_POOL_LOADING' : 'LB_NO_READY_NODE'
  const what = isResting
    ? `all nodes of pool ${pool.name} asked for a pause`
    : isLoading
      ? `the nodes of pool ${pool.name} are still loading`
      : `no node of pool ${pool.name} takes requests right now`
  return new LbError(`${what}${inWords(able.length > 0 ? able : all)}`, {
    ...about,
    code,
    retryAfterMs: Math.max(1, soonestMs ?? (isLoading ? LOADING_RETRY_MS : DOWN_RETRY_MS)),
    hint: 'the operator sees more with `lb status`',
  })
}

function inWords(all: readonly Absence[]): string {
  if (all.length === 0) return ''
  const more = all.length > TOLD ? `; and ${all.length - TOLD} more` : ''
  return `: ${all.slice(0, TOLD).map(({ node, reason }) => `${node} ${reason.slice(0, MOST_REASON)}`).join('; ')}${more}`
}

const STATES: Readonly<Partial<Record<NodeState, string>>> = {
  declared: 'was not started yet',
  starting: 'is starting',
  loading: 'is loading',
  warming: 'is warming up',
  suspect: 'is suspected to be sick',
  draining: 'is draining',
  stopped: 'is stopped',
  failed: 'is down',
}

function stateReason({ state, reason, progress }: { readonly state: NodeState; readonly reason: string | null; readonly progress: number | null }): string {
  const done = progress === null ? '' : ` (${Math.round(progress * 100)} %)`
  const why = reason === null || reason === '' ? '' : ` (${reason})`
  return `${STATES[state] ?? `is ${state}`}${done}${why}`
}

/** How this request fared there. */
function lastWord(records: readonly AttemptRecord[], { id }: Pick<RosterNode, 'id'>): string | undefined {
  const record = records.findLast(({ node }) => node === id)
  return record === undefined ? undefined : `failed it: ${record.reason ?? record.outcome}`
}
