import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { TimerHandle } from '../base/index.js'
import type { LaunchPlan } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { baseEnvironment, canBind, reservePort, rotateIfLarger, spawnEngine, stopTree } from '../machines/index.js'
import type { PortReservation, ProcessEnd, SpawnedProcess } from '../machines/index.js'
import type { LaunchSettings } from '../topology/index.js'
import { planLaunch } from './launch-command.js'
import { describeEnd, lastWords } from './last-words.js'
import { createBackend, declaredEnv, type NodeRunner, type RunnerContext } from './node-runner.js'
import type { Node } from './node.js'
import { RestartBudget } from './restart-budget.js'
import { upstreamTarget } from './upstream-target.js'

const DEFAULT_STOP = [{ signal: 'SIGTERM', waitMs: 10_000 }] as const
const LOG_LIMITS = { maxBytes: 10 * 1024 * 1024, keep: 3 }
const LOG_LOOK_MS = 30_000
const MOST_PORTS = 5

interface Life {
  readonly process: SpawnedProcess
  readonly port: PortReservation
  readonly extra: readonly PortReservation[]
  readonly mark: string
  readonly logPath: string
  readonly startedAtMs: number
}

/**
 * Launches a node's engine and keeps it alive: restarts with back-off within a budget, the next port when its own is taken, a limit on loading.
 * One piece of work at a time (`work`): a stop waits for a launch that has begun, so that no engine is forgotten.
 */
export class LaunchedRunner implements NodeRunner {
  private life: Life | undefined
  private wanted = false
  private work: Promise<void> = Promise.resolve()
  private retry: TimerHandle | undefined
  private deadline: TimerHandle | undefined
  private rotation: TimerHandle | undefined
  private readonly budget: RestartBudget
  private readonly badPorts = new Set<number>()

  constructor(
    private readonly node: Node,
    private readonly launchedWith: LaunchSettings,
    private readonly context: RunnerContext,
  ) {
    this.budget = new RestartBudget(context.random)
  }

  get hasEndpoint(): boolean {
    return this.life !== undefined
  }

  start(): Promise<void> {
    this.wanted = true
    this.retry?.cancel()
    this.budget.reset()
    this.badPorts.clear()
    return this.next(() => this.begin())
  }

  async stop(forced?: AbortSignal): Promise<void> {
    this.leave()
    await this.next(async () => {
      await this.end(forced === undefined ? {} : { forced })
      this.node.move('stop')
    })
    this.context.onRecord()
  }

  leave(): void {
    this.wanted = false
    for (const timer of [this.retry, this.deadline, this.rotation]) timer?.cancel()
  }

  private next(task: () => Promise<void>): Promise<void> {
    this.work = this.work.then(task).catch((error: unknown) => {
      this.context.log.error('node.work_failed', { node: this.node.id, error: messageOf(error) })
    })
    return this.work
  }

  private async begin(): Promise<void> {
    if (!this.wanted || !canStart(this.node)) return
    this.node.move('start')
    if (this.life !== undefined) return
    try {
      const life = await this.spawn()
      void life.process.exited.then((end) => this.next(() => this.ended(life, end)))
    } catch (error) {
      this.failed(messageOf(error), 0)
    }
    this.context.onRecord()
  }

  private async spawn(): Promise<Life> {
    const port = await reservePort(this.badPorts)
    const extra: PortReservation[] = []
    const url = `http://127.0.0.1:${port.port}`
    const mark = `${this.context.topologyName}/${this.node.id}/${randomBytes(6).toString('hex')}`
    const logPath = join(this.context.logDir, `${this.node.id.replaceAll('/', '.')}.log`)
    try {
      const made = createBackend(this.node.plan, url, this.context)
      for (let count = made.backend.extraPorts ?? 0; count > 0; count -= 1) extra.push(await reservePort(this.badPorts))
      const extraPorts = extra.map((each) => each.port)
      const slot = { host: '127.0.0.1', port: port.port, replica: this.node.plan.replica, extraPorts } as const
      const plan = planLaunch(made.backend, this.node.plan.group, slot, this.context.env)
      rotateIfLarger(logPath, LOG_LIMITS)
      const process = await spawnEngine({ command: plan.command, args: plan.args, env: this.environment(plan, mark), logPath })
      this.life = { process, port, extra, mark, logPath, startedAtMs: this.context.clock.nowMs() }
      this.node.setEndpoint({ url, target: upstreamTarget(url), mark, logPath, process: process.identity, ...made })
      this.watch(this.life, plan.readyWithinMs)
      return this.life
    } catch (error) {
      for (const each of [port, ...extra]) each.release()
      throw error
    }
  }

  /** As declared now: limits may change while the engine runs. */
  private get launch(): LaunchSettings {
    return this.node.plan.group.launch ?? this.launchedWith
  }

  private environment(plan: LaunchPlan, mark: string): Record<string, string> {
    const declared = { ...plan.env, ...declaredEnv(this.launch.env, this.context.env), LB_NODE: mark }
    return baseEnvironment(declared, this.context.env)
  }

  private watch(life: Life, readyWithinMs: number): void {
    if (!this.wanted) return
    this.deadline = this.context.clock.after(readyWithinMs, () => void this.next(() => this.late(life, readyWithinMs)))
    const look = (): void => {
      rotateIfLarger(life.logPath, LOG_LIMITS)
      this.rotation = this.context.clock.after(LOG_LOOK_MS, look)
    }
    this.rotation = this.context.clock.after(LOG_LOOK_MS, look)
  }

  /** A load that never ends is a failed attempt. */
  private async late(life: Life, readyWithinMs: number): Promise<void> {
    if (this.life !== life || this.node.wasReady || !isComing(this.node)) return
    const reason = `not ready within ${readyWithinMs / 1000} s${lastWords(life.logPath)}`
    await this.end({ steps: [] })
    this.failed(reason, 0)
  }

  private async ended(life: Life, end: ProcessEnd): Promise<void> {
    if (this.life !== life) return
    const reason = `${describeEnd(end)}${lastWords(life.logPath)}`
    const wasComing = isComing(this.node)
    // No request goes to a dead engine while its remains are cleared; what it had started may outlive it and hold the GPU.
    if (!wasComing && this.wanted) this.node.move('fail', reason)
    await this.end({ steps: [] })
    const portTaken = wasComing && isComing(this.node) && !(await canBind(life.port.port))
    if (portTaken && this.badPorts.size < MOST_PORTS) {
      this.badPorts.add(life.port.port)
      this.context.log.warn('node.port_taken', { node: this.node.id, port: life.port.port })
      return this.begin()
    }
    this.failed(reason, this.context.clock.nowMs() - life.startedAtMs)
  }

  private failed(reason: string, livedMs: number): void {
    if (!this.wanted) return
    const { restarts } = this.launch
    const waitMs = this.budget.failed(this.context.clock.nowMs(), livedMs, restarts)
    const minutes = Math.round(restarts.withinMs / 60_000)
    const spent = `failed ${this.budget.spent} times in ${minutes} minutes and is not started again: `
    this.node.move('fail', waitMs === undefined ? `${spent}${reason}` : reason)
    if (waitMs !== undefined && this.node.state === 'failed')
      this.retry = this.context.clock.after(waitMs, () => void this.next(() => this.again()))
    this.context.onRecord()
  }

  private async again(): Promise<void> {
    if (!this.wanted || this.node.state !== 'failed') return
    this.node.restarts += 1
    await this.begin()
  }

  /** Ends what runs, with all that it started. */
  private async end(how: { readonly steps?: readonly []; readonly forced?: AbortSignal }): Promise<void> {
    const { life } = this
    if (life === undefined) return
    this.deadline?.cancel()
    this.rotation?.cancel()
    const steps = how.steps ?? this.node.endpoint?.backend.stop ?? DEFAULT_STOP
    await stopTree({ ...how, identity: life.process.identity, mark: life.mark, steps })
    for (const port of [life.port, ...life.extra]) port.release()
    this.life = undefined
  }
}

function isComing(node: Node): boolean {
  return node.state === 'starting' || node.state === 'loading'
}

function canStart(node: Node): boolean {
  return isComing(node) || node.state === 'declared' || node.state === 'stopped' || node.state === 'failed'
}
