import type { ScalePlan } from '../../topology/index.js'
import type { ScaleFacts } from './scale-facts.js'
import type { ScaleMemory } from './scale-memory.js'
import { count, duration, share } from './words.js'

/** Replicas that one thing asks for. */
export interface Need {
  readonly replicas: number
  readonly why: string
}

/** A node less must be borne with so much to spare. */
const SPARE = 0.95
/** So much more load than was ever seen is tried with a node less. */
const TRIAL = 1.15
/** What has piled up shall be worked off in so long, or in the time that a node takes to start. */
const WORK_OFF_MS = 60_000

/** All that asks for replicas; nobody's requests do while it rests. */
export function needsOf(facts: ScaleFacts, plan: ScalePlan, memory: ScaleMemory, rests: boolean): Need[] {
  const { target } = plan
  const ofTriggers = facts.triggers.map((trigger) => needOfTrigger(facts, trigger))
  if (rests) return ofTriggers
  const waits = target.queueSeconds !== undefined || target.ttftP95Ms !== undefined
  return [
    ...(waits ? [needOfLoad(facts, plan, memory), needOfBacklog(facts, plan, memory)] : []),
    ...(target.tokensInFlight === undefined ? [] : [needOfTokens(facts, target.tokensInFlight, memory)]),
    ...(target.kvUsed === undefined || memory.kvUsed === undefined ? [] : [needOfKv(facts, target.kvUsed, memory.kvUsed)]),
    ...ofTriggers,
  ]
}

/** Every node is loaded as far as was seen to keep to the target, once those are there that are wished for now. */
function needOfLoad(facts: ScaleFacts, plan: ScalePlan, memory: ScaleMemory): Need {
  const { replicas, workTokens, startMs } = facts
  const { bearable, demand } = memory
  const beside = reliedOn(facts)
  const load = demand.in(startMs)
  const comes = `${rate(load / Math.max(1, workTokens))} requests/s come`
  // One request at once each of them surely bears.
  const enough = Math.ceil(memory.open + 0.5)
  if (enough < replicas && (bearable === undefined || enough < nodesFor(load, bearable.level, beside)))
    return { replicas: enough, why: `${comes}, ${count(Math.ceil(memory.open), 'request')} at once` }
  if (bearable === undefined) return { replicas, why: `${comes}; what one node bears is not known yet` }
  const each = bearable.level / Math.max(1, workTokens)
  const why = `${comes}, and one node ${bearable.isLimit ? 'bears' : 'has borne'} ${rate(each)} ${within(plan)}`
  const least = nodesFor(load, bearable.level, beside)
  const most = nodesFor(load, bearable.level * (bearable.isLimit ? SPARE : TRIAL), beside)
  if (!bearable.isLimit) return { replicas: Math.min(replicas, most), why }
  return { replicas: Math.min(Math.max(replicas, least), Math.max(least, most)), why }
}

/** What waits longer than it should is worked off beside what comes. */
function needOfBacklog(facts: ScaleFacts, plan: ScalePlan, memory: ScaleMemory): Need {
  const { excess, demand, bearable, queueSeconds } = memory
  const { ready, others, workTokens, startMs } = facts
  if (excess === 0) return { replicas: 0, why: 'nothing waits' }
  const nodes = ready + others
  const level = bearable?.level ?? (nodes > 0 ? demand.perSecond / nodes : 0)
  const seconds = Math.max(WORK_OFF_MS, startMs) / 1_000
  const pile = excess * workTokens
  const needed = level > 0 ? nodesFor(demand.perSecond + pile / seconds, level, reliedOn(facts)) : ready + 1
  const over = plan.target.queueSeconds === undefined ? within(plan) : `over ${plan.target.queueSeconds} s`
  const queue = queueSeconds > 0 ? `queue of ${queueSeconds.toFixed(1)} s ${over}: ` : ''
  return {
    replicas: Math.max(1, needed),
    why: `${queue}${count(Math.ceil(excess), 'request')} more ${excess > 1 ? 'wait' : 'waits'} than should`,
  }
}

/** All nodes of the pool hold some of them. */
function needOfTokens(facts: ScaleFacts, target: number, { tokensInFlight }: ScaleMemory): Need {
  const why = `${Math.round(tokensInFlight)} tokens in flight, ${target} for each node`
  return { replicas: tracked(facts.replicas, tokensInFlight / target - reliedOn(facts)), why }
}

function needOfKv({ replicas, ready }: ScaleFacts, target: number, kvUsed: number): Need {
  return { replicas: tracked(replicas, (kvUsed * ready) / target), why: `KV cache ${share(kvUsed)} used of ${share(target)}` }
}

function needOfTrigger({ replicas, ready }: ScaleFacts, { name, value, perReplica, isMean }: ScaleFacts['triggers'][number]): Need {
  const sum = isMean ? value * ready : value
  return { replicas: tracked(replicas, sum / perReplica), why: `${name} says ${rate(value)}, ${rate(perReplica)} for each node` }
}

/** What of the pool's nodes bears load before more of this group are wanted. */
export function reliedOn({ others, reliesOn = others }: ScaleFacts): number {
  return reliesOn
}

/** A node less only with some to spare. */
function tracked(replicas: number, nodes: number): number {
  const least = Math.ceil(nodes - 1e-9)
  return Math.max(least, Math.min(replicas, Math.ceil(nodes / SPARE - 1e-9)))
}

function nodesFor(load: number, level: number, others: number): number {
  return Math.max(0, Math.ceil(load / level - others - 1e-9))
}

function within({ target }: ScalePlan): string {
  if (target.ttftP95Ms !== undefined) return `within a TTFT p95 of ${duration(target.ttftP95Ms)}`
  return `within a queue of ${target.queueSeconds ?? 0} s`
}

function rate(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(2).replace(/\.0$/, '')
}
