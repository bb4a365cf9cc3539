import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { TimerHandle } from '../base/index.js'
import type { LaunchPlan } from '../contracts/index.js'
import { LbError, messageOf } from '../errors/index.js'
import {
  baseEnvironment,
  canBind,
  reservePort,
  rotateIfLarger,
  spawnEngine,
  stopTree,
  tailFile,
  type PortReservation,
  type ProcessEnd,
  type SpawnedProcess,
} from '../machines/index.js'
import type { LaunchSettings } from '../topology/index.js'
import { createBackend, declaredEnv, type NodeRunner, type RunnerContext } from './node-runner.js'
import type { Node } from './node.js'
import { RestartBudget } from './restart-budget.js'
import { upstreamTarget } from './upstream-target.js'

const DEFAULT_STOP = [{ signal: 'SIGTERM', waitMs: 10_000 }] as const
const LOG_LIMITS = { maxBytes: 10 * 1024 * 1024, keep: 3 }
const MOST_PORTS = 5

interface Life {
  readonly process: SpawnedProcess
  readonly port: PortReservation
  readonly mark: string
  readonly startedAtMs: number
  readonly deadline: TimerHandle
}

/** Launches a node's engine and keeps it alive: restarts with back-off within a budget, the next port when its own is taken, a limit on loading. */
export class LaunchedRunner implements NodeRunner {
  private life: Life | undefined
  private wanted = false
  private retry: TimerHandle | undefined
  private readonly budget: RestartBudget
  private readonly badPorts = new Set<number>()

  constructor(
    private readonly node: Node,
    private readonly launch: LaunchSettings,
    private readonly context: RunnerContext,
  ) {
    this.budget = new RestartBudget(launch.restarts, context.random)
  }

  async start(): Promise<void> {
    this.wanted = true
    this.budget.reset()
    await this.begin()
  }

  async stop(force: boolean): Promise<void> {
    this.leave()
    const life = this.life
    this.life = undefined
    if (life !== undefined) await this.end(life, force)
    this.node.move('stop')
    this.context.onRecord()
  }

  leave(): void {
    this.wanted = false
    this.retry?.cancel()
    this.life?.deadline.cancel()
  }

  private async begin(): Promise<void> {
    if (!this.wanted) return
    this.node.move('start')
    try {
      this.life = await this.spawn()
      if (!this.wanted) return await this.stop(true)
      void this.life.process.exited.then((end) => this.ended(this.life, end))
    } catch (error) {
      this.failed(messageOf(error), 0)
    }
    this.context.onRecord()
  }

  private async spawn(): Promise<Life> {
    const port = await reservePort(this.badPorts)
    const url = `http://127.0.0.1:${port.port}`
    const mark = `${this.context.topologyName}/${this.node.id}/${randomBytes(6).toString('hex')}`
    const logPath = join(this.context.logDir, `${this.node.id.replaceAll('/', '.')}.log`)
    try {
      const made = createBackend(this.node, url, this.context)
      const plan = made.backend.launchPlan?.({ host: '127.0.0.1', port: port.port, replica: this.node.plan.replica })
      if (plan === undefined)
        throw new LbError(`engine ${this.node.plan.group.engine} cannot be launched`, { code: 'LB_CANNOT_LAUNCH', source: 'operator' })
      rotateIfLarger(logPath, LOG_LIMITS)
      const process = await spawnEngine({ command: plan.command, args: plan.args, env: this.environment(plan, mark), logPath })
      this.node.setEndpoint({ url, target: upstreamTarget(url), mark, logPath, process: process.identity, ...made })
      return { process, port, mark, startedAtMs: this.context.clock.nowMs(), deadline: this.readyDeadline(plan) }
    } catch (error) {
      port.release()
      throw error
    }
  }

  private environment(plan: LaunchPlan, mark: string): Record<string, string> {
    const declared = { ...plan.env, ...declaredEnv(this.launch.env, this.context.env), LB_NODE: mark }
    return baseEnvironment(declared, this.context.env)
  }

  /** A load that never ends is a failed attempt: the engine is killed, its exit does the rest. */
  private readyDeadline(plan: LaunchPlan): TimerHandle {
    const withinMs = this.launch.readyWithinMs ?? plan.readyWithinMs
    return this.context.clock.after(withinMs, () => {
      if (this.node.state !== 'starting' && this.node.state !== 'loading') return
      const life = this.life
      if (life === undefined) return
      this.life = undefined
      void this.end(life, true).then(() => this.failed(`not ready within ${Math.round(withinMs / 1000)} s`, 0))
    })
  }

  private async ended(life: Life | undefined, end: ProcessEnd): Promise<void> {
    if (life === undefined || this.life !== life) return
    this.life = undefined
    life.deadline.cancel()
    const wasStarting = this.node.state === 'starting' || this.node.state === 'loading'
    const reason = `${describeEnd(end)}${this.lastLine()}`
    // What the engine started may outlive it; a new one must not meet it on the GPU.
    await stopTree({ identity: life.process.identity, mark: life.mark, steps: [] })
    const portTaken = wasStarting && !(await canBind(life.port.port))
    life.port.release()
    if (portTaken && this.badPorts.size < MOST_PORTS) {
      this.badPorts.add(life.port.port)
      this.context.log.warn('node.port_taken', { node: this.node.id, port: life.port.port })
      return this.begin()
    }
    this.failed(reason, this.context.clock.nowMs() - life.startedAtMs)
  }

  private failed(reason: string, livedMs: number): void {
    if (!this.wanted) return
    const waitMs = this.budget.failed(this.context.clock.nowMs(), livedMs)
    if (waitMs === undefined) {
      this.node.move(
        'fail',
        `failed ${this.budget.spent} times in ${Math.round(this.launch.restarts.withinMs / 60_000)} minutes and is not started again: ${reason}`,
      )
    } else {
      this.node.move('fail', reason)
      if (this.node.state === 'failed') this.retry = this.context.clock.after(waitMs, () => this.again())
    }
    this.context.onRecord()
  }

  private again(): void {
    this.node.restarts += 1
    void this.begin()
  }

  private lastLine(): string {
    const line = this.node.endpoint?.logPath === undefined ? undefined : tailFile(this.node.endpoint.logPath, 1)[0]
    return line === undefined || line.trim() === '' ? '' : `: ${line.trim().slice(0, 200)}`
  }

  private async end(life: Life, force: boolean): Promise<void> {
    life.deadline.cancel()
    const steps = force ? [] : (this.node.endpoint?.backend.stop ?? DEFAULT_STOP)
    await stopTree({ identity: life.process.identity, mark: life.mark, steps })
    life.port.release()
  }
}

function describeEnd(end: ProcessEnd): string {
  return end.signal === null ? `exited with code ${end.code ?? 'unknown'}` : `ended by ${end.signal}`
}
