import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from '../base/index.js'
import { silentLogger, type AttemptRecord, type MetricPlugin } from '../contracts/index.js'
import { nodeIdOf, rolloutDefaults, slotsOf, type GroupPlan, type PoolChange, type PoolPlan, type RolloutPlan } from '../topology/index.js'
import { plainGroup, plainPool } from '../topology/plain-plans.test.fixture.js'
import type { RolloutStatus } from './rollout-status.js'
import type { RolloutWorld, Urgency } from './rollout-world.js'
import { Rollouts } from './rollouts.js'
import { engine, host, notInTests } from './scripted-engine.test.fixture.js'
import { ScriptedNodes } from './scripted-nodes.test.fixture.js'
import { settledRecord } from './settled-record.test.fixture.js'

export function launched(name = 'gpu', replicas = 3, settings: Record<string, unknown> = {}): GroupPlan {
  return plainGroup({ replicas, model: 'a', settings }, { name })
}

export function planWith(plan: Partial<RolloutPlan> = {}, judge: Partial<RolloutPlan['judge']> = {}): RolloutPlan {
  return { ...rolloutDefaults, kind: 'rolling', holdMs: 1000, ...plan, judge: { ...rolloutDefaults.judge, minSamples: 5, ...judge } }
}

/** A house around rollouts: plans in memory, a journal in real files, nodes that a test has written. */
export class ScriptedHouse {
  readonly clock = new FakeClock()
  readonly told: string[] = []
  readonly hooks: { readonly url: string; readonly status: RolloutStatus }[] = []
  readonly nodes = new ScriptedNodes()
  room = Infinity
  declared: PoolPlan
  kept: PoolChange | undefined
  /** Why the pool cannot be applied as it is planned, although that was written down. */
  applyFails: string | undefined
  /** Of plugins. */
  readonly metrics = new Map<string, MetricPlugin>()
  rollouts: Rollouts
  stateDir = mkdtempSync(join(tmpdir(), 'lb-rollouts-'))
  /** Moments in which a balancer could be killed: before and after all that it does. */
  moments = 0
  /** The moment in which it is. */
  killAt = Infinity
  private readonly folders = [this.stateDir]
  /** Of the balancer that runs; what an earlier one does counts no more. */
  private life = 0
  private isFull = false
  private killed: { readonly kept: PoolChange | undefined } | undefined

  constructor(groups: readonly GroupPlan[] = [launched()], plan = planWith()) {
    this.declared = plainPool(groups, { rollout: plan })
    this.apply()
    this.nodes.begin()
    this.rollouts = this.begin()
    this.nodes.begin()
  }

  get fate() {
    return this.nodes.fate
  }

  get seen() {
    return this.nodes.seen
  }

  get pool(): PoolPlan {
    return { ...this.declared, ...this.kept }
  }

  /** `gpu-0 gpu-1`, of the nodes that there are. */
  get ids(): string {
    return this.nodes.list.map(({ id }) => id.slice('demo/'.length)).join(' ')
  }

  get status(): RolloutStatus {
    const [status] = this.rollouts.list()
    if (status === undefined) throw new Error('there was no rollout')
    return status
  }

  /** Nothing can be written any more, or again. */
  set isDiskFull(isFull: boolean) {
    this.isFull = isFull
    for (const file of ['rollouts.json', 'revisions.json']) {
      const inTheWay = join(this.stateDir, `${file}.${process.pid}.draft`)
      if (isFull) mkdirSync(inTheWay, { recursive: true })
      else rmSync(inTheWay, { recursive: true, force: true })
    }
  }

  /** As another balancer begins on the same disk, with the nodes as they are. */
  begin(): Rollouts {
    this.life += 1
    const rollouts = new Rollouts(this.world(this.life))
    this.rollouts = rollouts
    rollouts.prepare(['demo'])
    this.apply()
    rollouts.begin(['demo'])
    return rollouts
  }

  /** The balancer is gone from one moment to the next. */
  kill(): Rollouts {
    this.rollouts.stop()
    return this.begin()
  }

  fail(id: string, reason: string): void {
    this.nodes.fail(id, reason)
    this.rollouts.nodesChanged()
  }

  /** Lets time pass in small steps, with what is promised in between. */
  async pass(ms: number, everyStep: () => void = () => undefined): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      this.clock.advance(50)
      this.nodes.live(this.clock.nowMs())
      if (this.killed !== undefined) this.succeed(this.killed)
      this.rollouts.nodesChanged()
      everyStep()
      await new Promise<void>((resolve) => void setImmediate(resolve))
    }
  }

  /** Until the newest rollout is in one of these phases. */
  async until(phases: readonly RolloutStatus['phase'][], everyStep?: () => void): Promise<RolloutStatus> {
    for (let steps = 0; steps < 4000; steps += 1) {
      if (this.killed === undefined && phases.includes(this.status.phase)) return this.status
      await this.pass(50, everyStep)
    }
    throw new Error(`it is ${this.status.phase}: ${this.told.join('; ')}`)
  }

  /** One request, by luck as the split says. */
  request(turn: number, canary: Partial<AttemptRecord> = {}): void {
    const { split } = this.pool
    if (split === undefined) return
    const share = split.sides[1]?.share ?? 0
    const isCanary = (turn * 0.618) % 1 < share
    const revision = isCanary ? split.sides[1]?.revision : split.sides[0]?.revision
    const node = this.nodes.list.find((each) => each.group.revision === revision && each.state === 'ready')
    if (node === undefined || revision === undefined) return
    this.rollouts.settled(settledRecord({ node: node.id, revision, startedMs: 0, outcome: 'answered', ...(isCanary ? canary : {}) }))
  }

  close(): void {
    this.rollouts.stop()
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true })
  }

  /** The moment in which a balancer is killed: what is on the disk then is all that the next one has. */
  private moment(): void {
    this.moments += 1
    if (this.moments !== this.killAt) return
    this.life += 1
    const folder = mkdtempSync(join(tmpdir(), 'lb-rollouts-'))
    cpSync(this.stateDir, folder, { recursive: true })
    this.folders.push(folder)
    this.stateDir = folder
    this.killed = { kept: this.kept }
  }

  private succeed({ kept }: { readonly kept: PoolChange | undefined }): void {
    this.killed = undefined
    this.kept = kept
    this.begin()
  }

  private apply(): void {
    this.nodes.become(this.pool.groups, this.clock.nowMs())
  }

  private write(change: PoolChange | undefined, { evenUnwritten }: Urgency = { evenUnwritten: false }): void {
    if (this.isFull && !evenUnwritten) throw noSpace()
    this.kept = change === undefined ? undefined : (JSON.parse(JSON.stringify(change)) as PoolChange)
  }

  private world(life: number): RolloutWorld {
    const isDead = (): boolean => life !== this.life
    const change: RolloutWorld['change'] = async (_pool, wanted, urgency) => {
      this.moment()
      if (isDead()) return new Promise(() => undefined)
      this.write(wanted, urgency)
      this.moment()
      if (isDead()) return new Promise(() => undefined)
      if (this.applyFails !== undefined) throw new Error(this.applyFails)
      await Promise.resolve()
      this.apply()
      this.moment()
      return isDead() ? new Promise(() => undefined) : undefined
    }
    return {
      clock: this.clock,
      log: silentLogger,
      stateDir: this.stateDir,
      weights: { host, engines: new Map([['script', engine]]), env: {}, clock: this.clock, log: silentLogger },
      pool: () => this.pool,
      declaredPool: () => this.declared,
      settled: () => undefined,
      change,
      prepare: (_pool, wanted, urgency) => this.write(wanted, urgency),
      catchUp: () => {
        if (this.isFull) throw noSpace()
      },
      nodes: () => this.nodes.shown(),
      leaving: () => this.nodes.leaving,
      refusals: (_pool, groups) => {
        const ids = groups.flatMap((group) => slotsOf(group).map((slot) => nodeIdOf({ name: 'demo' }, group, slot)))
        return Promise.resolve(new Map(ids.slice(this.room).map((id) => [id, 'GPU 0 is taken'])))
      },
      edited: (_pool, group, { model }) =>
        Promise.resolve(
          model === undefined ? group : group.launch === undefined ? { ...group, model } : { ...group, launch: { ...group.launch, model } },
        ),
      tell: (_pool, message) => {
        if (!isDead()) this.told.push(message)
        this.moment()
      },
      changed: () => undefined,
      post: (url, body) => {
        this.hooks.push({ url, status: body as RolloutStatus })
        return Promise.resolve()
      },
      asker: () => ({ ask: notInTests, askPool: notInTests, embed: notInTests }),
      fetchText: notInTests,
      metric: (name) => this.metrics.get(name),
      host,
    }
  }
}

function noSpace(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
}
