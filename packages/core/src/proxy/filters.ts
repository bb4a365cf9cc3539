import type { BeliefView, FilterName, RosterNode } from '../contracts/index.js'
import type { Admitted } from './admit.js'
import type { Cooldowns } from './cooldowns.js'
import { canGoOn, type Resumption } from './resumption.js'
import { SharedAbilities } from './shared-abilities.js'

/** What is asked of each node; one object for all tries of a request. */
export interface Question {
  readonly request: Admitted
  /** The id of the one node that it may go to: it may be what makes engines crash, and goes where no other such request is. */
  readonly only?: string | undefined
  /** Where nodes of the revision that it belongs to are all taken: the trusted one serves it as well. */
  readonly backOnly?: boolean
  /** Not asked again for now. */
  readonly tried: readonly RosterNode[]
  /** A begun stream that the node must be able to go on with. */
  readonly resumption?: Resumption | undefined
  readonly cooldowns: Cooldowns
  readonly leases: BeliefView
  /** Counts from 1; absent: one more than were tried. */
  readonly attempt?: number
  nowMs(): number
  /** This request's lot, from 0 to 1, the same each time it is asked. */
  luck(): number
}

interface Filter {
  readonly name: FilterName
  /** True: without such a node the request is refused. False: where it would leave none, it is not used, and the engine says itself what is wrong. */
  readonly isFirm: boolean
  keeps(node: RosterNode, question: Question): boolean
  reason(node: RosterNode, question: Question): string
}

const GOLDEN = 0.618_033_988_75

/** In this order, the firm ones first, so that none of the others is left with nodes that a firm one then takes; the first that leaves a node out gives the reason. */
const filters: readonly Filter[] = [
  { name: 'tried', isFirm: true, keeps: isUntried, reason: () => 'was tried before for this request' },
  { name: 'face', isFirm: true, keeps: speaks, reason: (_, { request }) => `does not speak ${request.face}` },
  {
    name: 'continuation',
    isFirm: true,
    keeps: goesOn,
    reason: (_, { resumption }) => `cannot go on with a stream of ${resumption?.from.id}`,
  },
  { name: 'labels', isFirm: true, keeps: isLabelled, reason: (node, question) => `lacks ${lackedLabels(node, question)}` },
  {
    name: 'revision',
    isFirm: true,
    keeps: isAdmittedRevision,
    reason: notAdmittedReason,
  },
  { name: 'cooldown', isFirm: true, keeps: isRested, reason: restReason },
  { name: 'role', isFirm: false, keeps: answers, reason: () => 'computes prompts for others' },
  { name: 'model', isFirm: false, keeps: serves, reason: (_, { request }) => `does not serve ${request.facts.model}` },
  { name: 'context', isFirm: false, keeps: hasRoom, reason: contextReason },
  {
    name: 'trial',
    isFirm: false,
    keeps: isFreeForTrial,
    reason: () => 'is on trial after a failure, and has the one request that it may have',
  },
  { name: 'slow-start', isFirm: false, keeps: isAdmitted, reason: slowReason },
  { name: 'revision', isFirm: false, keeps: isOfItsRevision, reason: revisionReason },
]

/** Nodes that come back after a failure, and this request is not one of the few that they may have. */
export function areSpared(fitting: readonly RosterNode[], question: Question): boolean {
  for (const node of fitting) if (isFreeForTrial(node, question) && isAdmitted(node, question)) return false
  return true
}

/** The nodes that may be asked. Where all may, which is nearly always so, it is the given list itself, found out in a few comparisons however long it is. */
export function fittingNodes(routable: readonly RosterNode[], question: Question): readonly RosterNode[] {
  const { request, tried, cooldowns } = question
  const isPlain =
    tried.length === 0 &&
    request.requiredLabels === undefined &&
    cooldowns.isEmpty &&
    question.resumption === undefined &&
    request.parting === undefined
  if (isPlain && SharedAbilities.of(routable).suit(request.face, request.facts.model, request.neededTokens)) return routable
  const kept = narrowed(routable, question)
  return kept.length === routable.length ? routable : kept
}

/** Why each of these was left out. */
export function leftOutBy(
  routable: readonly RosterNode[],
  kept: readonly RosterNode[],
  question: Question,
): { readonly node: RosterNode; readonly filter: FilterName; readonly reason: string }[] {
  return routable
    .filter((node) => !kept.includes(node))
    .flatMap((node) => {
      const why = whyLeftOut(node, question)
      return why === undefined ? [] : [{ node, ...why }]
    })
}

/** The first filter that leaves it out, and why; undefined: none does. */
export function whyLeftOut(node: RosterNode, question: Question): { readonly filter: FilterName; readonly reason: string } | undefined {
  const filter = filters.find((each) => !each.keeps(node, question))
  return filter === undefined ? undefined : { filter: filter.name, reason: filter.reason(node, question) }
}

function narrowed(routable: readonly RosterNode[], question: Question): readonly RosterNode[] {
  let kept = routable
  for (const filter of filters) {
    const left = kept.filter((node) => filter.keeps(node, question))
    if (left.length > 0 || filter.isFirm) kept = left
    else if (filter.name === 'context') kept = roomiest(kept)
  }
  return kept
}

/** The prompt may be shorter than it was taken for. */
function roomiest(nodes: readonly RosterNode[]): readonly RosterNode[] {
  const most = Math.max(...nodes.map(({ contextTokens = 0 }) => contextTokens))
  return nodes.filter(({ contextTokens = 0 }) => contextTokens === most)
}

function isUntried(node: RosterNode, { tried }: Question): boolean {
  // Started again, it is another one.
  for (const other of tried) if (other.connectionKey === node.connectionKey) return false
  return true
}

/** Where no other is left, a node that computes prompts answers too. */
function answers({ role }: RosterNode): boolean {
  return role !== 'prefill'
}

function goesOn(node: RosterNode, { request, resumption }: Question): boolean {
  return resumption === undefined || canGoOn(node, resumption, request)
}

function speaks(node: RosterNode, { request }: Question): boolean {
  return node.dialect.paths[request.face] !== undefined
}

function isLabelled(node: RosterNode, { request }: Question): boolean {
  const wanted = request.requiredLabels
  return wanted === undefined || wanted.every(([name, value]) => node.labels?.[name] === value)
}

function lackedLabels(node: RosterNode, { request }: Question): string {
  const lacked = request.requiredLabels?.filter(([name, value]) => node.labels?.[name] !== value) ?? []
  return `the label${lacked.length === 1 ? '' : 's'} ${lacked.map(([name, value]) => `${name}=${value}`).join(', ')}`
}

/** Where the topology names the model at the node, its probe has seen to it that it is there. */
function serves({ serves: names, model }: RosterNode, { request }: Question): boolean {
  return names === undefined || model !== undefined || names.includes(request.facts.model)
}

function hasRoom(node: RosterNode, { request }: Question): boolean {
  return node.contextTokens === undefined || request.neededTokens <= node.contextTokens
}

function contextReason({ contextTokens = 0 }: RosterNode, { request }: Question): string {
  return `takes ${contextTokens} tokens; prompt and answer may need ${request.neededTokens}`
}

function isRested(node: RosterNode, question: Question): boolean {
  const { cooldowns } = question
  return cooldowns.isEmpty || cooldowns.hasRoom(node, question.nowMs())
}

/** A revision that is to be tried out gets nothing before its time. */
function isAdmittedRevision(node: RosterNode, { request }: Question): boolean {
  return request.parting?.admits(node) !== false
}

function notAdmittedReason({ revision = '' }: RosterNode, { request }: Question): string {
  return request.parting?.isInsisting === true
    ? `runs ${revision}, which failed it; it waits for ${request.parting.trusted}`
    : `runs ${revision}, which answers nobody yet`
}

function isOfItsRevision(node: RosterNode, { request, backOnly }: Question): boolean {
  return request.parting?.wants(node, backOnly) !== false
}

function revisionReason(node: RosterNode, { request }: Question): string {
  return `runs ${request.parting?.revisionOf(node)}; the request belongs to ${request.parting?.side}`
}

/** One that is on trial has one request at a time, beside those that it had before. */
export function isFreeForTrial(node: RosterNode, { leases }: Pick<Question, 'leases'>): boolean {
  return node.trial === undefined || leases.of(node).inFlight <= node.trial
}

/** Each node stands elsewhere on the way from 0 to 1, so that two that come back do not get the same requests. */
function isAdmitted({ admission, index }: RosterNode, question: Question): boolean {
  return admission === undefined || (question.luck() + index * GOLDEN) % 1 < admission
}

function slowReason({ admission = 1 }: RosterNode): string {
  return `is back after a failure and takes ${Math.round(100 * admission)} % of what it would be asked`
}

function restReason(node: RosterNode, question: Question): string {
  const leftMs = question.cooldowns.leftMs(node, question.nowMs())
  return leftMs === 0 ? 'is tried out after its pause' : `asked not to be asked for another ${Math.ceil(leftMs / 1_000)} s`
}
