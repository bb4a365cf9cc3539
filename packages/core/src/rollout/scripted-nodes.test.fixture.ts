import type { NodeState } from '../contracts/index.js'
import { nodeIdOf, slotsOf, type GroupPlan } from '../topology/index.js'
import type { RolloutNode } from './rollout-world.js'
import { engine, host } from './scripted-engine.test.fixture.js'

interface ScriptedNode {
  readonly id: string
  readonly group: GroupPlan
  state: NodeState
  readonly bornAtMs: number
  failures: number
  isGivenUp: boolean
  reason: string | null
  models: readonly string[]
  contextTokens: number | undefined
}

/** What becomes of nodes of a group whose name contains `of`. */
export interface Fate {
  of: string
  loadMs: number
  fails?: string
  models?: readonly string[]
  contextTokens?: number
}

/** Nodes that do what a test says: they load for a while, they end when they have drained, and they fail when they are told to. */
export class ScriptedNodes {
  /** Fewest that were ready at one moment, and most that were there, ended ones that still drain included. */
  readonly seen = { fewest: Infinity, most: 0 }
  readonly fate: Fate = { of: '-r', loadMs: 300 }
  loadMs = 300
  drainMs = 200
  canSleep = false
  private all: ScriptedNode[] = []
  private going: { readonly id: string; readonly untilMs: number }[] = []

  get list(): readonly ScriptedNode[] {
    return this.all
  }

  get leaving(): readonly string[] {
    return this.going.map(({ id }) => id)
  }

  /** All are ready, and nothing was seen before. */
  begin(): void {
    for (const node of this.all) node.state = 'ready'
    Object.assign(this.seen, { fewest: Infinity, most: 0 })
    this.look()
  }

  become(groups: readonly GroupPlan[], nowMs: number): void {
    const wanted = groups.flatMap((group) => slotsOf(group).map((slot) => ({ id: nodeIdOf({ name: 'demo' }, group, slot), group })))
    const gone = this.all.filter(({ id }) => !wanted.some((each) => each.id === id))
    this.going.push(...gone.map(({ id }) => ({ id, untilMs: nowMs + this.drainMs })))
    this.all = wanted.map(({ id, group }) => {
      const found = this.all.find((each) => each.id === id)
      if (found === undefined) return this.born(id, group, nowMs)
      const isWoken = found.state === 'asleep' && group.rests !== true
      return { ...found, group, state: group.rests === true ? 'asleep' : isWoken ? 'ready' : found.state }
    })
    this.look()
  }

  /** Time has passed. */
  live(nowMs: number): void {
    this.going = this.going.filter(({ untilMs }) => untilMs > nowMs)
    for (const node of this.all) {
      const own = node.group.name.includes(this.fate.of) ? this.fate : undefined
      if (node.state !== 'starting' || nowMs - node.bornAtMs < (own?.loadMs ?? this.loadMs)) continue
      if (own?.fails === undefined) node.state = 'ready'
      else this.fail(node.id, own.fails)
    }
    this.look()
  }

  fail(id: string, reason: string): void {
    const node = this.all.find((each) => each.id === id)
    if (node === undefined) throw new Error(`no node ${id}`)
    node.state = 'failed'
    node.reason = reason
    node.failures += 1
  }

  shown(): readonly RolloutNode[] {
    return this.all.map(({ id, group, state, reason, failures, isGivenUp, models, contextTokens }) => {
      const launchHash = `hash of ${JSON.stringify(group.launch?.settings)} ${group.launch?.model}`
      const known = { id, group: group.name, revision: group.revision, state, reason, failures, isGivenUp, models, contextTokens }
      const backend =
        group.attach === undefined ? undefined : engine.createBackend({ id, url: '', models: [], settings: {}, model: 'x' }, host)
      return { ...known, launchHash, progress: '', model: group.model, backend, canSleep: this.canSleep }
    })
  }

  private born(id: string, group: GroupPlan, bornAtMs: number): ScriptedNode {
    const own = group.name.includes(this.fate.of) ? this.fate : undefined
    const { models = [group.model ?? 'm'], contextTokens = 4096 } = own ?? {}
    return { id, group, state: 'starting', bornAtMs, failures: 0, isGivenUp: false, reason: null, models, contextTokens }
  }

  private look(): void {
    this.seen.fewest = Math.min(this.seen.fewest, this.all.filter(({ state }) => state === 'ready').length)
    this.seen.most = Math.max(this.seen.most, this.all.length + this.going.length)
  }
}
