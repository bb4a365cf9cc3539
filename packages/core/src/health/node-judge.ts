import type { NodeOutcome, NodeState } from '../contracts/index.js'
import type { Gap } from '../insight/index.js'
import { Comeback, type ComebackOptions } from './comeback.js'
import { inWords } from './in-words.js'
import type { EjectionKind } from './judge-settings.js'
import { NodeFile, type Charge, type JudgedNode } from './node-file.js'
import { PaceBook } from './pace-book.js'
import { isShort, mayLoseOne, poolRoom } from './pool-room.js'

export interface NodeJudgeOptions extends ComebackOptions {
  readonly nodes: () => Iterable<JudgedNode>
}

/** What its supervisor knows of an engine's end arrives within this time of the resets that it causes. */
const SUPERVISOR_MS = 200
/** No fault, or one that the watchdog knows more about: whether a silent node hangs or computes a long prompt. */
const SAYS_NOTHING: ReadonlySet<NodeOutcome['kind']> = new Set(['busy', 'loading', 'hung', 'timeout'])
const LIFTED_SHOWN_MS = 30_000
const LIFTED = 'its ejection was lifted: too few nodes of its pool are left'

/**
 * Judges nodes by how their requests fare: takes out those that fail or turn slow, brings them back by trial and with a growing share. Decides alone who is
 * out, for how long, and that enough are left.
 */
export class NodeJudge {
  private readonly files = new Map<string, NodeFile>()
  private readonly byRow = new Map<number, NodeFile>()
  private readonly paces = new PaceBook()
  private readonly comeback: Comeback
  private stopped = false

  constructor(private readonly options: NodeJudgeOptions) {
    this.comeback = new Comeback(options, {
      takeOut: (file, charge) => void this.takeOut(file, charge),
      measureAnew: (file) => this.paces.begin(file.node.index),
    })
  }

  /** How tries at nodes went. */
  outcomes(outcomes: readonly NodeOutcome[]): void {
    for (const outcome of outcomes) this.outcome(outcome)
  }

  /** A gap between tokens of a node, in which no prompt was computed there. */
  pace(index: number, gap: Gap): void {
    this.paces.learn(index, gap, this.options.clock.nowMs())
    const file = this.byRow.get(index)
    if (file !== undefined && this.paces.isDue(index)) this.judgePace(file)
  }

  /** A node's state has changed. */
  changed({ node, to }: { readonly node: JudgedNode; readonly to: NodeState }): void {
    const file = this.fileOf(node)
    const { standing } = node
    if (file.place === 'out' && standing.ejection === undefined) file.enter('in', this.nowMs)
    if (to === 'failed' || (to === 'suspect' && standing.ejection === undefined)) this.suspend(file, file.wasReady)
    if ((to === 'draining' || to === 'loading') && file.place !== 'out') this.suspend(file, file.hasFailed || file.place !== 'in')
    if (to === 'ready' && file.place === 'in') this.isBack(file)
    this.relieve(node.plan.pool.name)
  }

  /** Takes a node out and brings it back by trial when its time is over; a longer one each time. False where it is not up, or too few would be left. */
  eject(nodeId: string, charge: Charge): boolean {
    const file = this.files.get(nodeId)
    return file !== undefined && !this.stopped && this.mayLose(file, charge.kind) && this.takeOut(file, charge)
  }

  /** Ejections since the node joined, by kind. */
  ejectionsOf(nodeId: string): Readonly<Record<EjectionKind, number>> | undefined {
    return this.files.get(nodeId)?.counts
  }

  /** Another process is behind the row, or none. */
  forget(index: number): void {
    this.paces.forget(index)
  }

  /** Nodes joined or left. */
  sync(): void {
    const present = new Set<string>()
    for (const node of this.options.nodes()) {
      present.add(node.id)
      this.fileOf(node)
    }
    for (const [id, file] of this.files) {
      if (present.has(id)) continue
      file.timer?.cancel()
      this.files.delete(id)
      if (this.byRow.get(file.node.index) === file) this.byRow.delete(file.node.index)
    }
  }

  stop(): void {
    this.stopped = true
    this.comeback.stop()
    for (const file of this.files.values()) file.timer?.cancel()
  }

  private get nowMs(): number {
    return this.options.clock.nowMs()
  }

  private outcome({ node: id, connectionKey, kind, reason }: NodeOutcome): void {
    const file = this.files.get(id)
    if (file === undefined || this.stopped) return
    file.meet()
    const { node } = file
    if (connectionKey !== `${id}#${file.life}` || SAYS_NOTHING.has(kind)) return
    const limits = node.plan.pool.health.eject
    if (limits === undefined || file.place === 'out') return
    if (file.place === 'trial') return this.comeback.onTrial(file, kind, wordsOf(kind, reason))
    const why = file.faults.learn(kind, { reason: wordsOf(kind, reason), atMs: this.nowMs, limits })
    if (why !== undefined && isUp(node.state)) this.charge(file, { kind: 'failures', why })
  }

  /** A process that just ended explains its resets better than they do. */
  private charge(file: NodeFile, charge: Charge): void {
    if (file.node.endpoint?.process === undefined) return void this.eject(file.node.id, charge)
    if (file.isPending) return
    const { life } = file
    file.isPending = true
    this.options.clock.after(SUPERVISOR_MS, () => {
      if (file.life !== life || !file.isPending) return
      file.isPending = false
      if (isUp(file.node.state)) this.eject(file.node.id, charge)
    })
  }

  private mayLose({ node }: NodeFile, kind: EjectionKind): boolean {
    if (kind === 'hung') return true
    const { eject } = node.plan.pool.health
    return eject !== undefined && (node.state !== 'ready' || mayLoseOne(poolRoom(this.options.nodes(), node.plan.pool.name), eject.most))
  }

  private takeOut(file: NodeFile, { kind, why, lost }: Charge): boolean {
    const { node } = file
    if (!isUp(node.state) && node.state !== 'suspect' && node.state !== 'draining') return false
    const { firstMs = 1_000, longestMs = 30_000 } = node.plan.pool.health.eject ?? {}
    const forMs = file.timeOut.next(kind, this.nowMs, { firstMs, longestMs })
    file.enter('out', this.nowMs)
    node.eject({ reason: `ejected for ${inWords(forMs)}: ${why}`, untilMs: this.nowMs + forMs, lost })
    file.kind = kind
    file.counts[kind] += 1
    file.faults.clear()
    file.hasFailed = true
    this.comeback.after(file, forMs)
    return true
  }

  private judgePace(file: NodeFile): void {
    const { node, place, kind } = file
    const { eject } = node.plan.pool.health
    if (eject === undefined || eject.slower === 0 || place === 'out') return
    const own = this.paces.ownOf(node.index)
    const isTried = place === 'trial' && kind === 'slow'
    if (own === undefined || (own <= eject.slower && place !== 'trial')) return
    // Tokens come, and not only for those that it had before: a long answer need not end first.
    if (place === 'trial' && !isTried && this.options.inFlight(node) > (node.standing.trial ?? 0)) return this.comeback.slowStart(file)
    const slowness = this.paces.besides(own, this.equalsOf(node))
    const isSlow = slowness !== undefined && own > eject.slower && slowness.beside > eject.slower
    if (!isSlow) return isTried ? this.comeback.slowStart(file) : undefined
    const why = `${slowness.own.toFixed(1)} times slower between tokens than it used to be; its equals: ${slowness.equals.toFixed(1)} times`
    if (isTried) this.takeOut(file, { kind, why: `still ${why}` })
    else if (node.state === 'ready') this.eject(node.id, { kind: 'slow', why })
  }

  /** Rows of the other nodes of its pool that run the same engine and model. */
  private *equalsOf(node: JudgedNode): Iterable<number> {
    const { pool, group } = node.plan
    for (const { plan, index, standing } of this.options.nodes())
      if (plan.pool.name === pool.name && plan.group.engine === group.engine && plan.group.model === group.model)
        if (index !== node.index && standing.ejection === undefined) yield index
  }

  /** Neither on trial nor in its slow start any more: it is not asked at all now. */
  private suspend(file: NodeFile, hasFailed: boolean): void {
    file.hasFailed = hasFailed
    file.isPending = false
    if (file.place === 'in') return
    file.enter('in', this.nowMs)
    file.node.admit({})
  }

  /** Its probes are content with it. */
  private isBack(file: NodeFile): void {
    const { hasFailed } = file
    file.wasReady = true
    file.hasFailed = false
    if (hasFailed) this.comeback.slowStart(file)
  }

  /** Where too few nodes are left, those that only their judge keeps out are asked again; those that hang are not. */
  private relieve(pool: string): void {
    const { nodes } = this.options
    if (!this.isAnyOut(pool) || !isShort(poolRoom(nodes(), pool))) return
    for (const { node, place } of this.files.values()) {
      const { ejection } = node.standing
      if (node.plan.pool.name !== pool || place !== 'out' || ejection === undefined || ejection.lost !== undefined) continue
      const file = this.fileOf(node)
      file.enter('in', this.nowMs)
      file.hasFailed = false
      node.readmit({ note: LIFTED })
      file.timer = this.options.clock.after(LIFTED_SHOWN_MS, () => node.admit({}))
    }
  }

  private isAnyOut(pool: string): boolean {
    for (const { node, place } of this.files.values()) if (place === 'out' && node.plan.pool.name === pool) return true
    return false
  }

  private fileOf(node: JudgedNode): NodeFile {
    let file = this.files.get(node.id)
    if (file === undefined || file.node !== node) {
      file?.timer?.cancel()
      this.files.set(node.id, (file = new NodeFile(node)))
      this.byRow.set(node.index, file)
    }
    file.meet()
    return file
  }
}

function isUp(state: NodeState): boolean {
  return state === 'ready' || state === 'warming'
}

const WORDS: Readonly<Partial<Record<NodeOutcome['kind'], string>>> = {
  'connect-failed': 'no connection',
  reset: 'connection reset',
  refused: 'refused',
  cut: 'broke off in the middle of an answer',
}

function wordsOf(kind: NodeOutcome['kind'], reason: string | undefined): string {
  return reason ?? WORDS[kind] ?? kind
}
