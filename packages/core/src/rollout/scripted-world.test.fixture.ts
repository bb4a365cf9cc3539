import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from '../base/index.js'
import {
  silentLogger,
  type AttemptRecord,
  type EnginePlugin,
  type ModelKeeper,
  type NodeState,
  type PluginHost,
  type RequestRecord,
} from '../contracts/index.js'
import {
  nodeIdOf,
  retryPlan,
  rolloutDefaults,
  slotsOf,
  type GroupPlan,
  type PoolChange,
  type PoolPlan,
  type RolloutPlan,
} from '../topology/index.js'
import type { RolloutStatus } from './rollout-status.js'
import type { RolloutNode, RolloutWorld } from './rollout-world.js'
import { Rollouts } from './rollouts.js'

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

export function launched(name = 'gpu', replicas = 3, settings: Record<string, unknown> = {}): GroupPlan {
  return { name, engine: 'script', weight: 1, launch: { replicas, model: 'a', settings, env: {}, restarts: { max: 5, withinMs: 600_000 } } }
}

export function planWith(plan: Partial<RolloutPlan> = {}, judge: Partial<RolloutPlan['judge']> = {}): RolloutPlan {
  return { ...rolloutDefaults, kind: 'rolling', holdMs: 1000, ...plan, judge: { ...rolloutDefaults.judge, minSamples: 5, ...judge } }
}

function poolOf(groups: readonly GroupPlan[], rollout: RolloutPlan): PoolPlan {
  return {
    name: 'demo',
    models: ['m'],
    strategy: { name: 'least-tokens', settings: {} },
    groups,
    line: { max: 10, longestMs: 1000 },
    retries: retryPlan(),
    continuation: 'text',
    timeouts: { connectMs: 1000, firstTokenMs: 1000, idleMs: 1000 },
    health: { intervalMs: 50, fall: 2, rise: 2, timeoutMs: 2000, canary: { nodes: 'none', everyMs: 0, withinMs: 1000 }, slowStartMs: 0 },
    drainMs: 10_000,
    rollout,
  }
}

const notInTests = (): never => {
  throw new Error('not in tests')
}
const host: PluginHost = { log: silentLogger, get: notInTests, send: notInTests, lines: notInTests, run: notInTests }

/** What servers that keep their models were asked for. */
export const asked: string[] = []

const keeper: ModelKeeper = {
  pull: (model, { onProgress }) => {
    onProgress({ step: 'weights', doneBytes: 5e8, totalBytes: 1e9 })
    asked.push(`pull ${model}`)
    return Promise.resolve({})
  },
  load: (model) => Promise.resolve(void asked.push(`load ${model}`)),
  unload: (model) => Promise.resolve(void asked.push(`unload ${model}`)),
}

const engine: EnginePlugin = {
  apiVersion: 1,
  engine: 'script',
  settings: {},
  canLaunch: true,
  summary: 'for tests',
  createBackend: ({ weights = '', model }) => ({
    ...(model === undefined ? {} : { models: keeper }),
    launchPlan: () => ({ command: process.execPath, args: ['--model', weights], env: {}, readyWithinMs: 60_000 }),
    probe: notInTests,
    minProbeIntervalMs: 10,
    dialect: { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' },
  }),
}

/** A house in which nodes do what a test says: they load for a while, they end when they have drained, and they fail when they are told to. */
export class ScriptedHouse {
  readonly clock = new FakeClock()
  readonly stateDir = mkdtempSync(join(tmpdir(), 'lb-rollouts-'))
  readonly told: string[] = []
  readonly hooks: { readonly url: string; readonly status: RolloutStatus }[] = []
  /** Fewest that were ready at one moment, and most that were there, ended ones that still drain included. */
  readonly seen = { fewest: Infinity, most: 0 }
  /** What becomes of nodes of a group whose name contains this. */
  readonly fate: { of: string; loadMs: number; fails?: string; models?: readonly string[]; contextTokens?: number } = {
    of: '-r',
    loadMs: 300,
  }
  loadMs = 300
  drainMs = 200
  room = Infinity
  declared: PoolPlan
  kept: PoolChange | undefined
  isDiskFull = false
  canSleep = false
  rollouts: Rollouts
  private nodes: ScriptedNode[] = []
  private leaving: { readonly id: string; readonly untilMs: number }[] = []

  constructor(groups: readonly GroupPlan[] = [launched()], plan = planWith()) {
    this.declared = poolOf(groups, plan)
    this.apply()
    for (const node of this.nodes) node.state = 'ready'
    this.rollouts = this.begin()
    Object.assign(this.seen, { fewest: Infinity, most: 0 })
    this.look()
  }

  get pool(): PoolPlan {
    return { ...this.declared, ...this.kept }
  }

  /** `gpu-0 gpu-1`, of the nodes that there are. */
  get ids(): string {
    return this.nodes.map(({ id }) => id.slice('demo/'.length)).join(' ')
  }

  get status(): RolloutStatus {
    const [status] = this.rollouts.list()
    if (status === undefined) throw new Error('there was no rollout')
    return status
  }

  /** As another balancer begins on the same disk, with the nodes as they are. */
  begin(): Rollouts {
    const rollouts = new Rollouts(this.world())
    rollouts.prepare(['demo'])
    this.apply()
    rollouts.begin(['demo'])
    this.rollouts = rollouts
    return rollouts
  }

  /** The balancer is gone from one moment to the next. */
  kill(): Rollouts {
    this.rollouts.stop()
    return this.begin()
  }

  fail(id: string, reason: string): void {
    const node = this.nodes.find((each) => each.id === id)
    if (node === undefined) throw new Error(`no node ${id}`)
    node.state = 'failed'
    node.reason = reason
    node.failures += 1
    this.rollouts.nodesChanged()
  }

  /** Lets time pass in small steps, with what is promised in between. */
  async pass(ms: number, everyStep: () => void = () => undefined): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      this.clock.advance(50)
      this.live()
      everyStep()
      await new Promise<void>((resolve) => void setImmediate(resolve))
    }
  }

  /** Until the newest rollout is in one of these phases. */
  async until(phases: readonly RolloutStatus['phase'][], everyStep?: () => void): Promise<RolloutStatus> {
    for (let steps = 0; steps < 4000; steps += 1) {
      if (phases.includes(this.status.phase)) return this.status
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
    const node = this.nodes.find((each) => each.group.revision === revision && each.state === 'ready')
    if (node === undefined || revision === undefined) return
    this.rollouts.settled(recordOf({ node: node.id, revision, startedMs: 0, outcome: 'answered', ...(isCanary ? canary : {}) }))
  }

  close(): void {
    this.rollouts.stop()
    rmSync(this.stateDir, { recursive: true, force: true })
  }

  private world(): RolloutWorld {
    const write = (change: PoolChange | undefined): void => {
      if (this.isDiskFull) throw new Error('no space left on device')
      this.kept = change === undefined ? undefined : (JSON.parse(JSON.stringify(change)) as PoolChange)
    }
    const apply = (): void => this.apply()
    return {
      clock: this.clock,
      log: silentLogger,
      stateDir: this.stateDir,
      weights: { host, engines: new Map([['script', engine]]), env: {}, clock: this.clock, log: silentLogger },
      pool: () => this.pool,
      declaredPool: () => this.declared,
      async change(_pool, change) {
        write(change)
        await Promise.resolve()
        apply()
      },
      prepare: (_pool, change) => write(change),
      nodes: () => this.nodes.map((node) => this.seenAs(node)),
      leaving: () => this.leaving.map(({ id }) => id),
      refusals: (_pool, groups) => {
        const ids = groups.flatMap((group) => slotsOf(group).map((slot) => nodeIdOf({ name: 'demo' }, group, slot)))
        return Promise.resolve(new Map(ids.slice(this.room).map((id) => [id, 'GPU 0 is taken'])))
      },
      edited: (_pool, group, { model }) =>
        Promise.resolve(
          model === undefined ? group : group.launch === undefined ? { ...group, model } : { ...group, launch: { ...group.launch, model } },
        ),
      tell: (_pool, message) => void this.told.push(message),
      changed: () => undefined,
      post: (url, body) => {
        this.hooks.push({ url, status: body as RolloutStatus })
        return Promise.resolve()
      },
      asker: () => ({ ask: notInTests, askPool: notInTests, embed: notInTests }),
      fetchText: notInTests,
    }
  }

  private seenAs({ id, group, state, reason, failures, isGivenUp, models, contextTokens }: ScriptedNode): RolloutNode {
    const launchHash = `hash of ${JSON.stringify(group.launch?.settings)} ${group.launch?.model}`
    const known = { id, group: group.name, revision: group.revision, state, reason, failures, isGivenUp, models, contextTokens, launchHash }
    const backend =
      group.attach === undefined ? undefined : engine.createBackend({ id, url: '', models: [], settings: {}, model: 'x' }, host)
    return { ...known, progress: '', model: group.model, backend, canSleep: this.canSleep }
  }

  private apply(): void {
    const nowMs = this.clock.nowMs()
    const wanted = this.pool.groups.flatMap((group) => slotsOf(group).map((slot) => ({ id: nodeIdOf(this.pool, group, slot), group })))
    const gone = this.nodes.filter(({ id }) => !wanted.some((each) => each.id === id))
    this.leaving.push(...gone.map(({ id }) => ({ id, untilMs: nowMs + this.drainMs })))
    this.nodes = wanted.map(({ id, group }) => {
      const found = this.nodes.find((each) => each.id === id)
      if (found === undefined) return this.born(id, group, nowMs)
      const isWoken = found.state === 'asleep' && group.rests !== true
      return { ...found, group, state: group.rests === true ? 'asleep' : isWoken ? 'ready' : found.state }
    })
    this.look()
  }

  private born(id: string, group: GroupPlan, bornAtMs: number): ScriptedNode {
    const own = group.name.includes(this.fate.of) ? this.fate : undefined
    const { models = [group.model ?? 'm'], contextTokens = 4096 } = own ?? {}
    return { id, group, state: 'starting', bornAtMs, failures: 0, isGivenUp: false, reason: null, models, contextTokens }
  }

  private live(): void {
    const nowMs = this.clock.nowMs()
    this.leaving = this.leaving.filter(({ untilMs }) => untilMs > nowMs)
    for (const node of this.nodes) {
      const own = node.group.name.includes(this.fate.of) ? this.fate : undefined
      if (node.state !== 'starting' || nowMs - node.bornAtMs < (own?.loadMs ?? this.loadMs)) continue
      if (own?.fails === undefined) node.state = 'ready'
      else this.fail(node.id, own.fails)
    }
    this.look()
    this.rollouts.nodesChanged()
  }

  private look(): void {
    this.seen.fewest = Math.min(this.seen.fewest, this.nodes.filter(({ state }) => state === 'ready').length)
    this.seen.most = Math.max(this.seen.most, this.nodes.length + this.leaving.length)
  }
}

function recordOf(attempt: AttemptRecord): RequestRecord {
  const failed = attempt.outcome !== 'answered'
  return {
    v: 1,
    id: 'x',
    arrivedAtMs: 0,
    face: 'openai-chat',
    pool: 'demo',
    model: 'm',
    stream: true,
    node: attempt.node,
    attempts: failed ? [attempt, { node: 'demo/gpu-0', startedMs: 1, outcome: 'answered', revision: 'r1' }] : [attempt],
    status: 200,
    outcome: 'ok',
    errorCode: null,
    bodyBytes: 100,
    promptTokens: 100,
    completionTokens: 20,
    cachedTokens: 0,
    inLineMs: 0,
    tokensMeasured: true,
    ttftMs: 100,
    totalMs: 500,
    prefixHashes: new Float64Array(0),
  }
}
