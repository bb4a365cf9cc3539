type Phase = 'off' | 'starting' | 'ready' | 'draining'

/** What happens to nodes when their number changes. */
export interface ChangingNodes {
  /** The node takes requests from now on, as a process that has just begun. */
  join(node: number): void
  /** Takes no new ones; what it works on it ends. */
  leave(node: number): void
  /** It has nothing left to do. */
  isEmpty(node: number): boolean
  /** The process has ended. */
  end(node: number): void
}

/** Nodes that come some time after they were wished for, and go when they have ended their work. Counts what that costs. */
export class ChangingFleet {
  private readonly phases: Phase[]
  /** When those that start will be ready. */
  private readonly readyAtMs: number[]
  private spentMs = 0
  private countedAtMs = 0

  constructor(
    nodes: number,
    ready: number,
    private readonly effects: ChangingNodes,
  ) {
    this.phases = Array.from({ length: nodes }, (_, node) => (node < ready ? 'ready' : 'off'))
    this.readyAtMs = this.phases.map(() => 0)
  }

  get ready(): number {
    return this.count('ready')
  }

  /** Those that serve, and those that come. */
  get replicas(): number {
    return this.ready + this.count('starting')
  }

  nodeSeconds(nowMs: number): number {
    this.spend(nowMs)
    return this.spentMs / 1_000
  }

  isReady(node: number): boolean {
    return this.phases[node] === 'ready'
  }

  /** Nodes come and go until there are so many, or as many as there are places. */
  become(replicas: number, nowMs: number, startMs: number): void {
    this.spend(nowMs)
    while (this.replicas < replicas && this.begin(nowMs + startMs));
    while (this.replicas > replicas) this.takeAway()
  }

  /** What was to happen until now. */
  advance(nowMs: number): void {
    this.spend(nowMs)
    for (const [node, phase] of this.phases.entries()) {
      if (phase === 'starting' && (this.readyAtMs[node] ?? 0) <= nowMs) this.join(node)
      if (phase === 'draining' && this.effects.isEmpty(node)) this.end(node)
    }
  }

  private begin(readyAtMs: number): boolean {
    const node = this.phases.indexOf('off')
    if (node < 0) return false
    this.phases[node] = 'starting'
    this.readyAtMs[node] = readyAtMs
    return true
  }

  /** The newest first; one that only starts before any that serves. */
  private takeAway(): void {
    const starting = this.phases.lastIndexOf('starting')
    if (starting >= 0) return this.end(starting)
    const node = this.phases.lastIndexOf('ready')
    this.phases[node] = 'draining'
    this.effects.leave(node)
  }

  private join(node: number): void {
    this.phases[node] = 'ready'
    this.effects.join(node)
  }

  private end(node: number): void {
    const wasUp = this.phases[node] === 'draining'
    this.phases[node] = 'off'
    if (wasUp) this.effects.end(node)
  }

  private spend(nowMs: number): void {
    this.spentMs += (nowMs - this.countedAtMs) * (this.phases.length - this.count('off'))
    this.countedAtMs = nowMs
  }

  private count(phase: Phase): number {
    let found = 0
    for (const each of this.phases) if (each === phase) found++
    return found
  }
}
