import type { ScalePlan } from '../../topology/index.js'
import type { ScaleFacts } from './scale-facts.js'
import { ScaleMemory } from './scale-memory.js'
import { wantedReplicas } from './wanted-replicas.js'

export const plan: ScalePlan = {
  min: 1,
  max: 10,
  target: { ttftP95Ms: 1_000 },
  upAfterMs: 10_000,
  downAfterMs: 300_000,
  cooldownMs: 10_000,
  idleMs: 600_000,
  schedule: [],
  triggers: [],
}

export const quiet: ScaleFacts = {
  replicas: 1,
  ready: 1,
  others: 0,
  arrivals: 0,
  workTokens: 1_000,
  answers: [],
  waiting: 0,
  queuedTokens: 0,
  open: 0,
  tokensInFlight: 0,
  startMs: 30_000,
  triggers: [],
  floor: 0,
  scheduled: 0,
}

/** Requests a second that one node of the fleet here bears before requests are slow. */
export const NODE_BEARS = 10

/**
 * A fleet that does as it is told: nodes take their time to start, requests are quick as long as each node has at most its share, and pile up beyond it. The
 * policy is told what the balancer would be told.
 */
export class ObedientFleet {
  readonly memory = new ScaleMemory()
  readonly changes: { readonly atS: number; readonly from: number; readonly to: number }[] = []
  readonly reasons: string[] = []
  nodeSeconds = 0
  private pile = 0
  private comingAtS: number[] = []
  private atS = 0

  constructor(
    public ready: number,
    private readonly scale: ScalePlan,
    private readonly told: Partial<ScaleFacts> = {},
  ) {}

  get replicas(): number {
    return this.ready + this.comingAtS.length
  }

  /** Seconds with so many requests each; returns the share of slow ones. */
  run(seconds: number, perSecond: (atS: number) => number): number {
    let [slow, all] = [0, 0]
    for (let second = 0; second < seconds; second++) {
      const arrivals = perSecond(this.atS)
      const isSlow = this.step(arrivals)
      all += arrivals
      if (isSlow) slow += arrivals
    }
    return all === 0 ? 0 : slow / all
  }

  private step(arrivals: number): boolean {
    this.atS += 1
    const nowMs = 1_000 * this.atS
    while (this.comingAtS[0] !== undefined && this.comingAtS[0] <= this.atS) {
      this.comingAtS.shift()
      this.ready += 1
    }
    const borne = NODE_BEARS * (this.ready + (this.told.others ?? 0))
    this.pile = Math.max(0, this.pile + arrivals - borne)
    const waitS = borne === 0 ? 0 : this.pile / borne
    const ttftMs = 100 + 1_000 * waitS
    const { wanted, reason } = wantedReplicas(
      {
        ...quiet,
        ...this.told,
        replicas: this.replicas,
        ready: this.ready,
        arrivals,
        answers:
          borne === 0
            ? []
            : Array.from({ length: Math.round(arrivals) }, () => ({ arrivedAtMs: nowMs - ttftMs, ttftMs, computedTokens: 500 })),
        waiting: this.pile + 0.1 * arrivals,
        open: this.pile + 2 * arrivals,
      },
      this.scale,
      this.memory,
      nowMs,
    )
    this.reasons.push(reason)
    this.nodeSeconds += this.replicas
    if (wanted !== this.replicas) this.become(wanted)
    return ttftMs > (this.scale.target.ttftP95Ms ?? Infinity)
  }

  private become(wanted: number): void {
    this.changes.push({ atS: this.atS, from: this.replicas, to: wanted })
    while (this.replicas < wanted) this.comingAtS.push(this.atS + (this.told.startMs ?? quiet.startMs) / 1_000)
    while (this.replicas > wanted && this.comingAtS.length > 0) this.comingAtS.pop()
    this.ready = Math.min(this.ready, wanted)
  }
}

/** Changes that took another one back within ten minutes. */
export function flapsOf(changes: ObedientFleet['changes']): number {
  return changes.filter(({ atS, from, to }, at) => {
    const before = changes[at - 1]
    return before !== undefined && atS - before.atS < 600 && Math.sign(to - from) !== Math.sign(before.to - before.from)
  }).length
}
