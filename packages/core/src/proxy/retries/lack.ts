import type { AbsentNode, AttemptRecord, FilterName, NodeState, Roster, RosterNode } from '../../contracts/index.js'
import type { LbError } from '../../errors/index.js'
import { whyLeftOut, type Question } from '../filters.js'
import { nodesResting, notAwake, noNodeWithLabels, noReadyNode, ownLack, poolLoading } from '../unanswered.js'

/** Why a request has no node to go to, and whether waiting helps. */
export interface Lack {
  /** A node may be there no sooner; Infinity: none comes back without anybody's doing something. */
  readonly helpsWithinMs: number
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
  /** Until it may be asked again, as far as that is a matter of time. */
  readonly waitMs?: number
}

/** Nodes that a client is told of. */
const TOLD = 4
const MOST_REASON = 160
const LOOK_AGAIN_MS = 50

export function lackOf(options: LackOptions): Lack {
  const { roster, question } = options
  const { name } = question.request.pool
  const ready = roster.nodes.filter((node) => node.pool === name && node.state === 'ready').map((node) => readyAbsence(node, options))
  const all = [...ready, ...roster.absent(name).map((node) => absence(node, options))]
  const waits = all.flatMap(({ waitMs }) => waitMs ?? [])
  const isWaking = wakes(question, roster, all)
  const soonestMs = waits.length === 0 ? undefined : Math.max(1, Math.min(...waits))
  const hopes = all.flatMap(({ mayComeBack, kind, waitMs }) =>
    mayComeBack ? (kind === 'resting' && waitMs !== undefined ? waitMs : 0) : [],
  )
  // A revision that is tried out goes, or is trusted in the end.
  if (question.request.parting?.isOwed === true) hopes.push(0)
  return {
    helpsWithinMs: isWaking ? 0 : Math.min(...hopes),
    soonestMs,
    error: () => ownLack(options.records) ?? (isWaking ? asleep(question, all) : refusal(question, all)),
  }
}

/** Nobody can be asked, and somebody brings a node up where one can be: none is there yet, or one that rests. */
function wakes({ request: { pool } }: Question, roster: Roster, all: readonly Absence[]): boolean {
  if (pool.wake === undefined || roster.routable(pool.name).length > 0) return false
  const given = roster.absent(pool.name).filter(({ state, mayComeBack }) => (state === 'failed' || state === 'asleep') && !mayComeBack)
  return all.length === 0 || all.some(({ node, kind }) => kind !== 'unable' && !given.some(({ id }) => id === node))
}

function asleep({ request: { pool } }: Question, all: readonly Absence[]): LbError {
  return notAwake(pool.name, pool.wake?.withinMs ?? 0, inWords(all.filter(({ kind }) => kind !== 'unable')))
}

const FIRM: ReadonlySet<FilterName> = new Set<FilterName>(['face', 'labels', 'continuation', 'revision'])

/** Why a node that is ready is none for this request. */
function readyAbsence(node: RosterNode, { question, records, mayAskAgain }: LackOptions): Absence {
  const { filter, reason } = whyLeftOut(node, question) ?? { filter: undefined, reason: 'takes no requests right now' }
  const restMs = question.cooldowns.leftMs(node, question.nowMs())
  if (filter === 'tried' && restMs === 0)
    return { node: node.id, reason: lastWord(records, node) ?? reason, kind: 'tried', mayComeBack: mayAskAgain }
  if (filter !== undefined && FIRM.has(filter)) return { node: node.id, reason, kind: 'unable', mayComeBack: false }
  const isResting = filter === 'cooldown' || filter === 'tried'
  // Its pause may have ended in this very moment; and what other filters wait for, nobody tells.
  const waitMs = restMs > 0 ? restMs : LOOK_AGAIN_MS
  if (!isResting) return { node: node.id, reason, kind: 'down', mayComeBack: true, waitMs }
  const rests = restMs === 0 ? reason : `asked not to be asked for another ${Math.ceil(restMs / 1_000)} s`
  return { node: node.id, reason: rests, kind: 'resting', mayComeBack: mayAskAgain || filter !== 'tried', waitMs }
}

function absence(node: AbsentNode, { question, records, mayAskAgain }: LackOptions): Absence {
  const isLabelled = question.request.requiredLabels?.every(([name, value]) => node.labels?.[name] === value) !== false
  if (!isLabelled) return { node: node.id, reason: 'lacks the labels', kind: 'unable', mayComeBack: false }
  const isLoading = node.state === 'loading' || node.state === 'starting' || node.state === 'declared'
  const mayComeBack = node.mayComeBack && (mayAskAgain || lastWord(records, node) === undefined)
  return { node: node.id, reason: stateReason(node), kind: isLoading ? 'loading' : 'down', mayComeBack }
}

function refusal({ request: { pool, requiredLabels, requestId } }: Question, all: readonly Absence[]): LbError {
  const able = all.filter(({ kind }) => kind !== 'unable')
  if (able.length === 0 && all.length > 0 && requiredLabels !== undefined) return noNodeWithLabels(pool.name, requiredLabels, requestId)
  const who = inWords(able.length > 0 ? able : all)
  const rests = able.flatMap(({ kind, waitMs = 0 }) => (kind === 'resting' ? waitMs : []))
  const restMs = Math.min(...rests)
  if (able.length > 0 && rests.length === able.length) return nodesResting(pool.name, who, restMs)
  return able.some(({ kind }) => kind === 'loading') ? poolLoading(pool.name, who, restMs) : noReadyNode(pool.name, who, restMs)
}

function inWords(all: readonly Absence[]): string {
  if (all.length === 0) return ''
  const more = all.length > TOLD ? `; and ${all.length - TOLD} more` : ''
  return `: ${all
    .slice(0, TOLD)
    .map(({ node, reason }) => `${node} ${reason.slice(0, MOST_REASON)}`)
    .join('; ')}${more}`
}

const STATES: Readonly<Partial<Record<NodeState, string>>> = {
  declared: 'was not started yet',
  starting: 'is starting',
  loading: 'is loading',
  warming: 'is warming up',
  suspect: 'is suspected to be sick',
  draining: 'is draining',
  asleep: 'is asleep',
  stopped: 'is stopped',
  failed: 'is down',
}

function stateReason({ state, reason, progress }: AbsentNode): string {
  const done = progress === null ? '' : ` (${Math.round(progress * 100)} %)`
  const why = reason === null || reason === '' ? '' : ` (${reason})`
  return `${STATES[state] ?? `is ${state}`}${done}${why}`
}

/** How this request fared there. */
function lastWord(records: readonly AttemptRecord[], { id }: Pick<RosterNode, 'id'>): string | undefined {
  const record = records.findLast(({ node }) => node === id)
  return record === undefined ? undefined : `failed it: ${record.reason ?? record.outcome}`
}
