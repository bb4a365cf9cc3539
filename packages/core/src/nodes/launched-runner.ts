import { randomBytes } from 'node:crypto'
import type { TimerHandle } from '../base/index.js'
import type { LaunchSlot, ProbeReport } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { canBind, fileSize, oomKills, reservePort, rotateIfLarger, spawnEngine, stopTree } from '../machines/index.js'
import type { PortReservation, ProcessEnd } from '../machines/index.js'
import type { LaunchSettings } from '../topology/index.js'
import { adopt } from './adopt.js'
import { checkBeforeLaunch } from './check-before-launch.js'
import { canStart, isComing, neverHadItsPort } from './coming.js'
import { explainEnd, explainError, isHopeless, type Explanation } from './explain-end.js'
import { howEnded } from './how-ended.js'
import { lastLines, lastWords } from './last-words.js'
import { markPrefix, nodeLogPath } from './leftovers.js'
import type { GpuSeat, SeatWish } from './gpu-seat.js'
import { launchRecord, type HeldForLaunch, type Life } from './life.js'
import { LoadingWatch } from './loading-watch.js'
import type { NodeRunner, RunnerContext } from './node-runner.js'
import type { Node } from './node.js'
import { prepareLaunch, type PreparedLaunch } from './prepare-launch.js'
import { portsBeside, startOf, waysToEnd } from './remote-launch.js'
import { retakeSeat, takeSeat } from './take-seat.js'
import { RestartBudget } from './restart-budget.js'
import { upstreamTarget } from './upstream-target.js'

const LOG_LIMITS = { maxBytes: 10 * 1024 * 1024, keep: 3 }
const LOG_LOOK_MS = 30_000
const MOST_PORTS = 5
const LAST_LINES = 5

/**
 * Launches a node's engine and keeps it alive: takes over the one that a killed balancer left, restarts with back-off within a budget, takes the next port
 * when its own is taken, and gives up a load that gets nowhere.
 * One piece of work at a time (`work`): a stop waits for a launch that has begun, so that no engine is forgotten.
 */
export class LaunchedRunner implements NodeRunner {
  private life: Life | undefined
  private wanted = false
  private work: Promise<void> = Promise.resolve()
  private retry: TimerHandle | undefined
  private loading: LoadingWatch | undefined
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
    this.rest()
    await this.next(async () => {
      await this.end(forced === undefined ? {} : { forced })
      this.node.move('stop')
    })
    this.context.onRecord()
  }

  /** Another balancer may take the engine over, with its port. */
  leave(): void {
    this.rest()
    for (const port of this.life?.ports ?? []) port.release()
  }

  async revive(why: string): Promise<void> {
    const { life } = this
    await this.next(async () => {
      if (life === undefined || this.life !== life || !this.wanted || this.node.state === 'draining') return
      this.node.move('fail', why)
      await this.end({ steps: [] })
      this.failed({ reason: why }, this.context.clock.nowMs() - life.startedAtMs, life)
    })
  }

  leaveSeat(): void {
    this.life?.seat?.release(true)
    delete this.life?.seat
  }

  async retakeSeat(): Promise<void> {
    const { life, node } = this
    if (life === undefined || life.seat !== undefined) return
    const seat = await retakeSeat(node.plan, this.context.gpus, this.seatWish(life.mark), life)
    if (this.life === life) life.seat = seat
    else seat?.release()
  }

  private rest(): void {
    this.wanted = false
    this.retry?.cancel()
    this.rotation?.cancel()
    this.loading?.stop()
    this.life?.process.release?.()
  }

  heard(report: ProbeReport): void {
    this.loading?.heard(report)
    // An adopted engine is nobody's child: only looking tells that it has ended.
    if (report.verdict === 'sick') this.life?.process.look?.()
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
      const adopted = await adopt(this.node, this.context, (made, prepared) => this.settle(made, prepared, true))
      const life = adopted ?? (this.node.plan.group.rests === true ? undefined : await this.spawn())
      if (life === undefined) return
      void life.process.exited.then((end) => {
        if (this.life === life) this.node.lifeEnded(howEnded(life, end))
        return this.next(() => this.ended(life, end))
      })
    } catch (error) {
      this.failed(explainError(error), 0)
    }
    this.context.onRecord()
  }

  private async spawn(): Promise<Life> {
    const { topologyName, markKey } = this.context
    const mark = `${markPrefix(topologyName, this.node.id)}${markKey}-${randomBytes(6).toString('hex')}`
    const ports: PortReservation[] = [await reservePort(this.badPorts)]
    let seat: GpuSeat | undefined
    try {
      const port = ports[0]?.port ?? 0
      const prepared = await prepareLaunch(
        this.node.plan,
        port,
        async (backend) => {
          for (let count = portsBeside(this.node.plan, backend); count > 0; count -= 1) ports.push(await reservePort(this.badPorts))
          seat = await takeSeat(this.node.plan, this.context.gpus, this.seatWish(mark))
          return this.slotOn(ports, seat)
        },
        this.context,
      )
      await checkBeforeLaunch(this.node, prepared, this.context)
      return await this.launch(prepared, { ports, mark, ...(seat === undefined ? {} : { seat }) })
    } catch (error) {
      seat?.release()
      for (const each of ports) each.release()
      throw error
    }
  }

  private seatWish(mark: string): SeatWish {
    // Told to drain meanwhile, it has another reason.
    const say = (what: string): void => void (isComing(this.node) && this.node.move('start', what))
    return { mark, say, wanted: () => this.wanted }
  }

  private slotOn(ports: readonly PortReservation[], seat?: GpuSeat): LaunchSlot {
    const [port = 0, ...extraPorts] = ports.map((each) => each.port)
    return { host: '127.0.0.1', port, replica: this.node.plan.replica, extraPorts, ...(seat === undefined ? {} : { gpus: seat.gpus }) }
  }

  private async launch(prepared: PreparedLaunch, held: HeldForLaunch): Promise<Life> {
    const { mark, seat } = held
    const { clock, logDir } = this.context
    const { slot, remote } = prepared
    const logPath = nodeLogPath(logDir, this.node.id)
    rotateIfLarger(logPath, LOG_LIMITS)
    const record = launchRecord(prepared, { startedAtMs: clock.epochMs(), logFrom: fileSize(logPath) })
    const kills = oomKills()
    const process = await spawnEngine({ ...startOf(prepared, mark, this.context.env), logPath })
    seat?.started(process.identity)
    const over = remote === undefined ? {} : { remote }
    const life = { ...held, ...over, process, slot, logPath, record, startedAtMs: clock.nowMs(), oomKills: kills }
    this.settle(life, prepared, false)
    return life
  }

  /** From here on it is this node's engine. */
  private settle(life: Life, { url, backend, authHeaders, plan }: PreparedLaunch, adopted: boolean): void {
    const { mark, logPath, record } = life
    this.life = life
    this.node.setEndpoint({
      url,
      target: upstreamTarget(url),
      backend,
      authHeaders,
      mark,
      logPath,
      launch: record,
      adopted,
      process: life.process.identity,
    })
    if (this.wanted) this.watch(life, plan.readyWithinMs)
  }

  /** As declared now: limits may change while the engine runs. */
  private get declared(): LaunchSettings {
    return this.node.plan.group.launch ?? this.launchedWith
  }

  private watch(life: Life, readyWithinMs: number): void {
    const backend = this.node.endpoint?.backend
    if (backend === undefined) return
    this.loading = new LoadingWatch({
      life,
      backend,
      clock: this.context.clock,
      readyWithinMs,
      isLoading: () => this.life === life && !this.node.wasReady && isComing(this.node),
      onStep: (step) => this.node.showStep(step),
      onLate: (reason) => void this.next(() => this.late(life, reason)),
    })
    const look = (): void => {
      rotateIfLarger(life.logPath, LOG_LIMITS)
      this.rotation = this.context.clock.after(LOG_LOOK_MS, look)
    }
    this.rotation = this.context.clock.after(LOG_LOOK_MS, look)
  }

  /** A load that gets nowhere is a failed attempt. */
  private async late(life: Life, why: string): Promise<void> {
    if (this.life !== life || this.node.wasReady || !isComing(this.node)) return
    const step = this.node.loadingStep
    const reason = `not ready: ${why}${step === undefined ? '' : ` (${step})`}${lastWords(life.logPath, life.record.logFrom)}`
    await this.end({ steps: [] })
    this.failed({ reason }, 0, life)
  }

  private async ended(life: Life, end: ProcessEnd): Promise<void> {
    if (this.life !== life) return
    const backend = this.node.endpoint?.backend
    const why = backend === undefined ? { reason: 'ended' } : explainEnd(life, end, backend, this.context.log)
    const livedMs = this.context.clock.nowMs() - life.startedAtMs
    const begins = isComing(this.node)
    const isRobbed = neverHadItsPort(this.node, why, livedMs)
    // No request goes to a dead engine while its remains are cleared; what it had started may outlive it and hold the GPU.
    if (!begins && this.wanted) this.node.move(isRobbed ? 'start' : 'fail', why.reason)
    await this.end({ steps: [] })
    const taken = why.kind === 'port-taken' || !(await canBind(life.slot.port))
    if ((begins || isRobbed) && isComing(this.node) && taken && this.badPorts.size < MOST_PORTS) {
      for (const port of [life.slot.port, ...(life.remote === undefined ? [] : [life.remote.remotePort])]) this.badPorts.add(port)
      this.context.log.warn('node.port_taken', { node: this.node.id, port: life.slot.port })
      return this.begin()
    }
    this.failed(why, livedMs, life)
  }

  private failed({ reason, kind }: Explanation, livedMs: number, life?: Life): void {
    if (!this.wanted) return
    const { restarts } = this.declared
    const hopeless = isHopeless(kind)
    const waitMs = this.budget.failed(this.context.clock.nowMs(), livedMs, restarts, hopeless)
    if (life !== undefined) this.node.lastLines = lastLines(life.logPath, LAST_LINES, life.record.logFrom)
    this.node.isGivenUp = waitMs === undefined
    this.node.move('fail', waitMs === undefined ? `${this.budget.gaveUp(restarts, hopeless)}${reason}` : reason)
    this.context.log.warn('node.failed', { node: this.node.id, reason, kind: kind ?? null, lastLines: this.node.lastLines.join('\n') })
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
    this.loading?.stop()
    this.rotation?.cancel()
    life.process.release?.()
    this.node.lifeEnded('killed')
    const ways = waysToEnd({ steps: this.node.endpoint?.backend.stop, ...how }, life.remote !== undefined)
    await stopTree({ ...ways, identity: life.process.identity, mark: life.mark })
    for (const port of life.ports) port.release()
    life.seat?.release()
    this.life = undefined
  }
}
