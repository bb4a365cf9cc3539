import { Emitter } from '../base/index.js'
import type { ProbeReport, Roster, RosterSource } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import type { Topology } from '../topology/index.js'
import type { RecordedNode } from '../state/index.js'
import { FleetMember, type MemberContext } from './fleet-member.js'
import { notDraining, notLaunched, unknownNode } from './fleet-errors.js'
import { LeftoverBook } from './leftover-book.js'
import type { LeftEngine } from './leftovers.js'
import { canKeep, nodePlansOf, type NodePlan } from './node-plan.js'
import type { RunnerContext } from './node-runner.js'
import type { Node, LifeEnded, NodeChange } from './node.js'
import { buildRoster } from './roster-view.js'
import { recordOf } from './record-of.js'
import { isJudged, takeVerdict, type VerdictEvent } from './take-verdict.js'
import type { NodeWarmed } from './warm-up.js'

export interface FleetOptions extends Omit<RunnerContext, 'onRecord' | 'leftovers'>, Pick<MemberContext, 'leases' | 'heard' | 'warmer'> {
  /** Engines that an earlier balancer left: taken over where they fit, else ended. */
  readonly leftovers?: readonly LeftEngine[]
}

export interface FleetEvents {
  changed: NodeChange
  /** A process ended that was launched for a node. */
  'life-ended': LifeEnded
  warmed: NodeWarmed
  /** A node joined or left. */
  membership: undefined
  /** There is a new roster. */
  roster: undefined
  /** What the state file holds is out of date. */
  record: undefined
}

export interface CloseFleetOptions {
  readonly drainMs: number
  readonly engines: 'stop' | 'leave'
  /** Ends the wait for running requests, and the engines without asking. */
  readonly forced?: AbortSignal
}

/** All nodes of one balancer: starts, drains, restarts and stops them, and shows them as roster snapshots. */
export class Fleet implements RosterSource {
  readonly events: Emitter<FleetEvents>
  private readonly members = new Map<string, FleetMember>()
  /** Left the topology, still ending. */
  private readonly retiring = new Map<FleetMember, Promise<void>>()
  /** Being restarted: a second wish joins the first. */
  private readonly cycling = new Set<FleetMember>()
  /** Ends all waits, and engines without asking. */
  private readonly cut = new AbortController()
  /** When a closing balancer waits no longer. */
  private closeByMs = Infinity
  private roster: Roster = buildRoster(0, [])
  private isStale = false
  private isTelling = false
  private readonly leftovers: LeftoverBook
  private readonly context: MemberContext

  constructor(private readonly options: FleetOptions) {
    const onRecord = (): void => this.events.emit('record', undefined)
    this.leftovers = new LeftoverBook(options.leftovers ?? [], options.log, onRecord)
    this.context = {
      ...options,
      leftovers: this.leftovers,
      cut: this.cut.signal,
      closeByMs: () => this.closeByMs,
      onRecord,
      onChange: (change) => this.changed(change),
      onAbilities: () => this.refresh(),
      onLifeEnded: (end) => this.events.emit('life-ended', end),
      onWarmed: (news) => this.events.emit('warmed', news),
    }
    this.events = new Emitter((error) => options.log.error('fleet.listener_failed', { error: messageOf(error) }))
  }

  current(): Roster {
    if (this.isStale) this.roster = buildRoster(this.roster.version + 1, this.nodes())
    this.isStale = false
    return this.roster
  }

  nodes(): readonly Node[] {
    return [...this.members.values()].map((member) => member.node)
  }

  /** Requests that all threads together have at this life of a node, as far as they have noticed; once the next life takes some, they cannot be told apart. */
  inFlightAt(id: string, connectionKey: string): number {
    const node = this.members.get(id)?.node
    if (node === undefined || (node.connectionKey !== connectionKey && node.state === 'ready')) return 0
    return this.options.leases.countOf(node.index)
  }

  /** Makes the topology so: keeps nodes that need no change, starts new ones, drains and stops those that are gone or changed. Resolves when starts have begun. */
  async apply(topology: Topology): Promise<void> {
    const plans = new Map(nodePlansOf(topology).map((plan) => [plan.id, plan]))
    const leaving = [...this.members.values()].filter(({ node }) => {
      const plan = plans.get(node.id)
      return plan === undefined || !canKeep(node.plan, plan)
    })
    for (const member of leaving) {
      this.members.delete(member.node.id)
      this.retiring.set(member, this.retire(member))
    }
    const starting: FleetMember[] = []
    for (const plan of plans.values()) {
      const kept = this.members.get(plan.id)
      if (kept === undefined) starting.push(this.add(plan))
      else kept.node.plan = plan
    }
    this.inOrderOf(plans)
    this.refresh()
    this.events.emit('membership', undefined)
    const launched = [...plans.values()].filter((plan) => plan.group.launch !== undefined)
    void this.logged(this.leftovers.endAllBut(new Set(launched.map((plan) => plan.id))))
    for (const { node, rest } of this.members.values()) if (node.state !== 'declared') rest.follow()
    await Promise.all(starting.map((member) => member.start().then(() => this.refresh())))
  }

  /** Verdict of the probe loop. A node that left in the meantime is passed over. */
  report(nodeId: string, event: VerdictEvent, report: ProbeReport): void {
    const member = this.members.get(nodeId)
    if (member?.runner.hasEndpoint === true && isJudged(member.node)) takeVerdict(member.node, event, report)
  }

  /** What a probe said, before any verdict, and how long that took. */
  heard(nodeId: string, report: ProbeReport, tookMs?: number): void {
    const member = this.members.get(nodeId)
    member?.runner.heard?.(report)
    if (tookMs !== undefined && report.verdict === 'ready') member?.node.learnRoundTrip(tookMs)
  }

  /** What an engine said of its load; returns the node, where it is still there. */
  learnLoad(nodeId: string, facts: unknown): Node | undefined {
    const node = this.members.get(nodeId)?.node
    node?.learnLoad(facts)
    return node
  }

  /** Nodes that left the topology and still end. */
  leaving(): readonly Node[] {
    return [...this.retiring.keys()].map((member) => member.node)
  }

  /** For the state file: everything that a kill now would leave running. */
  records(): readonly RecordedNode[] {
    const known = [...this.nodes(), ...this.leaving()].flatMap((node) => recordOf(node) ?? [])
    const ids = new Set(known.map((record) => record.id))
    return [...known, ...this.leftovers.records().filter((record) => !ids.has(record.id))]
  }

  /** Takes no new requests; running ones end. */
  drain(nodeId: string): void {
    this.memberOf(nodeId).node.move('drain', 'asked by you')
  }

  /** Takes requests again, also one that was ejected; a stopped or failed node is started. Throws LB_NODE_NOT_DRAINING. */
  async resume(nodeId: string): Promise<void> {
    const { node, runner } = this.memberOf(nodeId)
    if (node.state === 'draining') {
      if (node.wasReady && runner.hasEndpoint) return node.move('resume')
      // Never seen ready, or without a process: its life begins anew.
      node.move('stop')
    }
    if (node.state === 'stopped' || node.state === 'failed') return runner.start()
    if (node.standing.ejection !== undefined) return node.readmit({ note: 'readmitted by you' })
    throw notDraining(nodeId, node.state)
  }

  /** Drains, stops and starts a launched node; resolves when the drain has begun. Throws LB_NODE_NOT_LAUNCHED for an attached one. */
  async restart(nodeId: string): Promise<void> {
    const member = this.memberOf(nodeId)
    if (member.node.plan.group.launch === undefined) throw notLaunched(nodeId)
    if (this.cycling.has(member)) return
    this.cycling.add(member)
    const busy = member.node.state !== 'stopped' && member.node.state !== 'failed'
    if (busy) member.node.move('drain', 'restart asked by you')
    void this.logged(this.cycle(member, busy)).finally(() => this.cycling.delete(member))
  }

  /** Ends an engine that hangs, and starts it again as after any failure. Nothing happens where it is attached, or gone. */
  revive(nodeId: string, why: string): void {
    const member = this.members.get(nodeId)
    if (member?.runner.revive !== undefined && !this.cycling.has(member)) void this.logged(member.runner.revive(why))
  }

  /** Drains all nodes, then ends or leaves the engines. */
  async close(options: CloseFleetOptions): Promise<void> {
    this.closeByMs = this.options.clock.nowMs() + options.drainMs
    options.forced?.addEventListener('abort', () => this.cut.abort())
    if (options.forced?.aborted === true) this.cut.abort()
    for (const { node } of this.members.values())
      if (node.state !== 'stopped' && node.state !== 'failed') node.move('drain', 'the balancer stops')
    await Promise.all([...this.members.values()].map((member) => member.end(options.engines)))
    await Promise.all(this.retiring.values())
    if (options.engines === 'stop') await this.leftovers.endAllBut(new Set())
  }

  private add(plan: NodePlan): FleetMember {
    const member = new FleetMember(plan, this.context)
    this.members.set(plan.id, member)
    return member
  }

  private async retire(member: FleetMember): Promise<void> {
    const { node, runner, rest } = member
    rest.stop()
    if (node.state !== 'stopped') node.move('drain', 'no longer in the topology')
    await member.emptied()
    await this.logged(runner.stop(this.cut.signal))
    this.retiring.delete(member)
    this.options.leases.freeRow(node.index)
    this.events.emit('record', undefined)
  }

  private async cycle(member: FleetMember, drained: boolean): Promise<void> {
    const { node, runner } = member
    await member.emptied()
    // Resumed meanwhile: the wish to restart was taken back.
    if (drained && node.state !== 'draining') return
    await runner.stop(this.cut.signal)
    if (this.closeByMs !== Infinity || this.members.get(node.id)?.node !== node) return
    node.restarts += 1
    await runner.start()
  }

  private async logged(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => this.options.log.error('fleet.work_failed', { error: messageOf(error) }))
  }

  private changed(change: NodeChange): void {
    const { node, from, to, reason } = change
    if (from !== to) this.options.log.info('node.state', { node: node.id, from, to, reason })
    this.refresh()
    this.events.emit('changed', change)
  }

  private inOrderOf(plans: ReadonlyMap<string, NodePlan>): void {
    const members = [...plans.keys()].flatMap((id) => this.members.get(id) ?? [])
    this.members.clear()
    for (const member of members) this.members.set(member.node.id, member)
  }

  /** The roster is built when somebody asks, and told once a turn: a thousand members that join in one turn would else build it a thousand times. */
  private refresh(): void {
    this.isStale = true
    if (this.isTelling) return
    this.isTelling = true
    queueMicrotask(() => {
      this.isTelling = false
      this.events.emit('roster', undefined)
    })
  }

  private memberOf(nodeId: string): FleetMember {
    const member = this.members.get(nodeId)
    if (member !== undefined) return member
    throw unknownNode(nodeId, [...this.members.keys()])
  }
}
