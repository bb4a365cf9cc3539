import { FakeClock } from '../base/index.js'
import type { NodeOutcome } from '../contracts/index.js'
import { Node, type NodeChange, type NodePlan } from '../nodes/index.js'
import type { ComebackOptions } from './comeback.js'
import type { EjectSettings } from './judge-settings.js'
import { NodeJudge } from './node-judge.js'

export const defaults: EjectSettings = {
  after: 5,
  share: 0.5,
  windowMs: 10_000,
  most: 0.5,
  firstMs: 1_000,
  longestMs: 30_000,
  slower: 2.5,
}

export interface PoolOptions {
  readonly eject?: Partial<EjectSettings> | 'off'
  readonly slowStartMs?: number
  /** lb has launched their processes. */
  readonly launched?: boolean
  readonly canary?: ComebackOptions['canary']
  readonly engines?: readonly string[]
}

/** Real nodes under their real judge, on a clock that the test moves. */
export class JudgedPool {
  readonly clock = new FakeClock()
  readonly nodes: Node[]
  readonly judge: NodeJudge
  readonly inFlight: number[]
  /** What a person would read. */
  readonly said: string[] = []

  constructor(count: number, options: PoolOptions = {}) {
    const { eject = {}, slowStartMs = 30_000, canary, engines = [] } = options
    const health = { slowStartMs, ...(eject === 'off' ? {} : { eject: { ...defaults, ...eject } }) }
    this.inFlight = Array.from({ length: count }, () => 0)
    this.nodes = this.inFlight.map((_, index) => {
      const group = { name: `n${index}`, engine: engines[index] ?? 'e' }
      const plan = { id: `p/n${index}`, name: `n${index}`, pool: { name: 'p', health }, group, replica: 0 } as unknown as NodePlan
      return new Node(index, plan, this.clock, (change) => this.changed(change))
    })
    this.judge = new NodeJudge({
      clock: this.clock,
      nodes: () => this.nodes,
      inFlight: ({ index }) => this.inFlight[index] ?? 0,
      ...(canary === undefined ? {} : { canary }),
    })
    this.judge.sync()
    for (const node of this.nodes) this.begin(node, options.launched)
  }

  /** A new life, ready. */
  begin(node: Node, launched = false): void {
    node.move('start')
    node.setEndpoint({ url: '', ...(launched ? { process: { pid: 1 } } : {}) } as unknown as Parameters<Node['setEndpoint']>[0])
    node.move('steady')
  }

  at(index: number): Node {
    const node = this.nodes[index]
    if (node === undefined) throw new Error(`no node ${index}`)
    return node
  }

  /** Tries at one node end so, one after the other. */
  tell(index: number, kind: NodeOutcome['kind'], times = 1, connectionKey = this.at(index).connectionKey): void {
    const reason = kind === 'served' ? {} : { reason: `connection ${kind}` }
    for (let time = 0; time < times; time += 1) this.judge.outcomes([{ node: this.at(index).id, connectionKey, kind, ...reason }])
  }

  /** Time passes, with room for promises in between. */
  async pass(ms: number, stepMs = 50): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed))
      for (let turn = 0; turn < 4; turn += 1) await Promise.resolve()
    }
  }

  isOut(index: number): boolean {
    return this.at(index).standing.ejection !== undefined
  }

  get out(): number {
    return this.nodes.filter((_, index) => this.isOut(index)).length
  }

  private changed(change: NodeChange): void {
    const { node, to, reason } = change
    this.said.push(`${node.id} ${to}${reason === null ? '' : `: ${reason}`}`)
    this.judge.changed(change)
  }
}
