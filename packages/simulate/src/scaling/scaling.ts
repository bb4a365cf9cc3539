import { ScaleMemory, wantedReplicas, workOf, type ScaleAnswer, type ScaleFacts } from '@plimsoll/core/routing'
import type { Answered } from '../measures.js'
import { ChangingFleet, type ChangingNodes } from './changing-fleet.js'
import type { ScaleChange, ScaleResult, SimulatedScale } from './simulated-scale.js'

const LOOK_MS = 1_000
/** Until answers have shown what a request costs. */
const FIRST_WORK_TOKENS = 1_000
/** Part of the newest request in the mean of what requests cost, once there were some. */
const NEWEST = 0.003

/** What the balancer knows at a look. */
export interface ScaleSight {
  /** Requests that have not ended. */
  readonly open: number
  /** Of these, the ones that stand in line. */
  readonly inLine: number
  /** Sums over all nodes. */
  readonly waiting: number
  readonly queuedTokens: number
  readonly tokensInFlight: number
  /** Mean over the nodes that are ready. */
  readonly kvUsed: number
}

/** Changes the number of nodes of a simulation, as the balancer would, or as somebody would who knows the day. */
export class Scaling {
  private readonly fleet: ChangingFleet
  private readonly memory = new ScaleMemory()
  private readonly changes: ScaleChange[] = []
  private arrivals = 0
  private answers: ScaleAnswer[] = []
  private workTokens = FIRST_WORK_TOKENS
  private promptTokens = FIRST_WORK_TOKENS
  private answeredCount = 0
  private looks = 0
  private step = 1

  constructor(
    private readonly scale: SimulatedScale,
    nodes: number,
    effects: ChangingNodes,
    private readonly sight: (isReady: (node: number) => boolean) => ScaleSight,
  ) {
    this.fleet = new ChangingFleet(nodes, firstOf(scale), effects)
  }

  isReady(node: number): boolean {
    return this.fleet.isReady(node)
  }

  get nextMs(): number {
    return (this.looks + 1) * (this.scale.kind === 'follow' ? (this.scale.lookMs ?? LOOK_MS) : LOOK_MS)
  }

  arrived(): void {
    this.arrivals++
  }

  answered({ sentMs, firstTokenMs, promptTokens, cachedTokens, outputTokens }: Answered): void {
    if (this.scale.kind !== 'follow') return
    const computedTokens = promptTokens - cachedTokens
    const part = Math.max(NEWEST, 1 / ++this.answeredCount)
    this.workTokens += part * (workOf(computedTokens, outputTokens) - this.workTokens)
    this.promptTokens += part * (computedTokens - this.promptTokens)
    this.answers.push({ arrivedAtMs: sentMs, ttftMs: firstTokenMs - sentMs, computedTokens })
  }

  look(nowMs: number): void {
    this.looks++
    this.fleet.advance(nowMs)
    if (this.scale.kind === 'schedule') return this.keepTo(this.scale, nowMs)
    const { plan, startMs, policy } = this.scale
    const facts = this.facts(startMs)
    this.arrivals = 0
    this.answers = []
    const { wanted, reason } =
      policy === undefined ? wantedReplicas(facts, plan, this.memory, nowMs) : { wanted: policy(facts, nowMs), reason: 'another policy' }
    this.become(wanted, { nowMs, startMs, reason })
  }

  result(untilMs: number): ScaleResult {
    return { nodeSeconds: this.fleet.nodeSeconds(untilMs), changes: this.changes }
  }

  private facts(startMs: number): ScaleFacts {
    const { fleet, arrivals, workTokens, answers } = this
    const { open, inLine, waiting, queuedTokens, tokensInFlight, kvUsed } = this.sight((node) => fleet.isReady(node))
    return {
      replicas: fleet.replicas,
      ready: fleet.ready,
      others: 0,
      arrivals,
      workTokens,
      answers,
      waiting: waiting + inLine,
      queuedTokens: queuedTokens + inLine * this.promptTokens,
      open,
      tokensInFlight,
      kvUsed,
      startMs,
      triggers: [],
      floor: 0,
      scheduled: 0,
    }
  }

  /** Begun so early that they are ready in time; taken away when fewer are ready to be. */
  private keepTo({ ready, startMs }: SimulatedScale & { kind: 'schedule' }, nowMs: number): void {
    for (let next = ready[this.step]; next !== undefined; next = ready[this.step]) {
      const isUp = next.nodes > (ready[this.step - 1]?.nodes ?? 0)
      if (next.atMs - (isUp ? startMs : 0) > nowMs) return
      this.become(next.nodes, { nowMs, startMs: Math.max(0, next.atMs - nowMs), reason: 'as scheduled' })
      this.step++
    }
  }

  private become(nodes: number, { nowMs, startMs, reason }: { nowMs: number; startMs: number; reason: string }): void {
    const from = this.fleet.replicas
    if (nodes === from) return
    this.fleet.become(nodes, nowMs, startMs)
    this.changes.push({ atMs: nowMs, from, to: this.fleet.replicas, reason })
  }
}

function firstOf(scale: SimulatedScale): number {
  return scale.kind === 'follow' ? (scale.from ?? scale.plan.min) : (scale.ready[0]?.nodes ?? 1)
}
