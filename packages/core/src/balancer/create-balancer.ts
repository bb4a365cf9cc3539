import type { IncomingMessage, ServerResponse } from 'node:http'
import { Emitter } from '../base/index.js'
import type { RequestRecord } from '../contracts/index.js'
import { createControlServer, type BalancerState, type BalancerStatus, type ControlServer, type NodeModels } from '../control/index.js'
import { LbError, messageOf } from '../errors/index.js'
import type { NodeChange } from '../nodes/index.js'
import type { QuarantineOffice } from '../proxy/index.js'
import type { RecordedNode } from '../state/index.js'
import { diffTopologies, type Topology, type TopologyDiff, type TopologyInput } from '../topology/index.js'
import { fetchExchange, nodeExchange, type Exchange } from '../wire/index.js'
import { assemble } from './assembly.js'
import type { BalancerEvents } from './balancer-events.js'
import { buildStatus } from './build-status.js'
import { controlActions } from './control-actions.js'
import type { DecisionBook } from './decision-book.js'
import { Doors } from './doors.js'
import { EventLog, nodeEvent, quarantineEvent, warmedEvent } from './event-log.js'
import { readModelsOf } from './node-models.js'
import { refuse, type Listenable } from './listeners.js'
import type { BalancerOptions, CloseOptions, StartOptions } from './options.js'
import { openRequestLog, type RequestLog } from './request-log.js'
import { resolveOptions, topologyFrom, type Resolved } from './resolved-options.js'
import type { SharedSocket } from './shared-socket.js'
import { Steering } from './steering.js'
import { untilServing } from './until-serving.js'
import { STOPPING, windDown, type Running } from './wind-down.js'

const DEFAULT_WAIT_MS = 10_000
/** How long a start waits for what the sources of nodes say first. */
const FIRST_ANSWERS_MS = 3_000

/** Makes a balancer. Nothing starts before `start()`; several can live in one process. */
export function createBalancer(options: BalancerOptions): Balancer {
  return new Balancer(options)
}

/** A running topology: nodes, gateway, control. */
export class Balancer {
  private readonly options: Resolved
  private readonly emitter: Emitter<BalancerEvents>
  private readonly eventLog: EventLog
  private readonly forced = new AbortController()
  private readonly doors: Doors
  private running: Running | undefined
  private control: ControlServer | undefined
  private requestLog: RequestLog | undefined
  private state: BalancerState = 'starting'
  private startedAtMs = 0
  private closing: Promise<void> | undefined

  constructor(private readonly given: BalancerOptions) {
    this.options = resolveOptions(given)
    const listenerFailed = (error: unknown): void => this.options.log.error('balancer.listener_failed', { error: messageOf(error) })
    this.emitter = new Emitter(listenerFailed)
    this.eventLog = new EventLog(this.options.clock, listenerFailed)
    this.eventLog.on((event) => this.emitter.emit('event', event))
    this.doors = new Doors((url) => this.eventLog.add({ kind: 'gateway', message: `listening on ${url}` }))
  }

  /** Checks the topology, starts its nodes, and waits until every pool can answer (at most `waitMs`). Throws TopologyErrors. */
  async start(options: StartOptions = {}): Promise<void> {
    if (this.running !== undefined)
      throw new LbError('this balancer was started already', { code: 'LB_ALREADY_STARTED', source: 'operator' })
    this.startedAtMs = this.options.clock.epochMs()
    const topology = await topologyFrom(this.given.topology, this.options)
    const assembly = assemble(this.options, topology, {
      closedBecause: () => this.closedBecause(),
      onSettled: (record) => this.settled(record),
      onSentBack: (record) => this.running?.steering.sentBack(record),
      onShadow: (pair) => this.running?.steering.shadowed(pair),
      onLine: () => this.running?.steering.lineChanged(),
      onBroken: () => this.emitter.emit('broken', undefined),
      onMembers: () => this.membersChanged(),
      onSentence: (sentence) => this.eventLog.add(quarantineEvent(sentence)),
      onSourceHealth: (message) => this.eventLog.add({ kind: 'balancer', message }),
    })
    const steering = new Steering(topology, { assembly, options: this.options, eventLog: this.eventLog })
    this.running = { assembly, steering }
    const { requestLog } = topology.gateway
    if (requestLog !== undefined) this.requestLog = openRequestLog(requestLog, this.options.log)
    assembly.fleet.events.on('changed', (change) => this.nodeChanged(change))
    assembly.fleet.events.on('warmed', (news) => this.eventLog.add(warmedEvent(news)))
    assembly.fleet.events.on('record', () => this.emitter.emit('record', undefined))
    assembly.discovery.use(topology)
    await assembly.discovery.firstAnswers(FIRST_ANSWERS_MS)
    steering.prepare()
    if (steering.plans.topology !== topology) assembly.use(steering.plans.topology)
    await assembly.join(steering.plans.topology)
    this.state = 'serving'
    this.eventLog.add({ kind: 'balancer', message: `${topology.name} started` })
    await steering.begin()
    await untilServing(assembly.fleet, steering.plans.topology, { clock: this.options.clock, waitMs: options.waitMs ?? DEFAULT_WAIT_MS })
  }

  /** Applies a changed topology: nodes that need no change are kept. Throws TopologyErrors and changes nothing when it is wrong. */
  async reload(input: TopologyInput | Topology): Promise<TopologyDiff> {
    const { assembly, steering } = this.need()
    const after = await topologyFrom(input, this.options)
    const before = steering.plans.topology
    const takeBack = steering.plans.declare(after)
    steering.redeclared()
    const diff = diffTopologies(before, steering.plans.topology)
    try {
      assembly.use(steering.plans.topology)
    } catch (error) {
      takeBack()
      throw error
    }
    await assembly.join(steering.plans.topology)
    this.eventLog.add({ kind: 'balancer', message: diff.changed ? 'topology reloaded' : 'topology reloaded: nothing changed' })
    return diff
  }

  /** Opens a listener of the gateway; resolves with its URL. */
  listen(listenable: Listenable): Promise<string> {
    const { assembly, steering } = this.need()
    return this.doors.open(listenable, assembly, steering.plans.topology.gateway)
  }

  /** Serves on sockets that another process opened: with data threads each gets a duplicate of its own, else this thread takes the first. */
  listenShared(sockets: readonly SharedSocket[], unixPaths: readonly string[] = []): Promise<void> {
    const { assembly, steering } = this.need()
    return this.doors.openShared({ sockets, unixPaths }, assembly, steering.plans.topology.gateway)
  }

  /** Serves the control API on a unix socket. */
  async serveControl(socketPath: string): Promise<void> {
    this.control = createControlServer({ actions: controlActions(this, this.eventLog), log: this.options.log })
    await this.control.listen(socketPath)
  }

  /** The door for node:http, Express and Fastify. */
  readonly handler = (request: IncomingMessage, response: ServerResponse): void => {
    const exchange = nodeExchange(request, response)
    if (exchange.refusal === undefined) this.serve(exchange)
    else refuse(exchange, exchange.refusal)
  }

  /** The door for web Requests: Hono and the like. */
  readonly fetch = async (request: Request): Promise<Response> => {
    const { exchange, response } = fetchExchange(request)
    this.serve(exchange)
    return response
  }

  status(): BalancerStatus {
    const { assembly, steering } = this.need()
    assembly.dataPath.settled.flush()
    return buildStatus(assembly, {
      topology: steering.plans.topology,
      steering,
      state: this.state,
      startedAtMs: this.startedAtMs,
      listen: this.doors.urls,
      threads: assembly.threads?.ids.length ?? 0,
      logDir: this.options.logDir,
      nowMs: this.options.clock.nowMs(),
    })
  }

  /** Resolves when the status can tell of accelerators, whose tools are asked only because somebody looks. */
  async lookAtGpus(): Promise<void> {
    await this.running?.assembly.gpuBoard.freshened()
  }

  /** Prometheus text. */
  metrics(): string {
    const { dataPath, metrics } = this.need().assembly
    dataPath.settled.flush()
    return metrics.render()
  }

  /** What each node serves, asked of the engines now. */
  models(): Promise<readonly NodeModels[]> {
    return readModelsOf(this.need().assembly.fleet.nodes())
  }

  /** The newest request records, newest first. */
  requests(limit = 100): readonly RequestRecord[] {
    const { dataPath, ring } = this.need().assembly
    dataPath.settled.flush()
    return ring.newest(limit)
  }

  /** How requests found their nodes, as far as that is remembered. */
  decisions(): DecisionBook {
    const { dataPath, decisions } = this.need().assembly
    dataPath.settled.flush()
    return decisions
  }

  /** Requests that make engines crash. */
  quarantine(): QuarantineOffice {
    return this.need().assembly.office
  }

  /** What changes the running topology by itself. */
  steering(): Pick<Steering, 'rollouts' | 'scale' | 'residency' | 'plans'> {
    return this.need().steering
  }

  drain(nodeId: string): void {
    this.need().assembly.fleet.drain(nodeId)
  }

  resume(nodeId: string): Promise<void> {
    return this.need().assembly.fleet.resume(nodeId)
  }

  restart(nodeId: string): Promise<void> {
    return this.need().assembly.fleet.restart(nodeId)
  }

  /** Returns the function that takes the listener off again. */
  on<Name extends keyof BalancerEvents>(name: Name, listener: (payload: BalancerEvents[Name]) => void): () => void {
    return this.emitter.on(name, listener)
  }

  /** What the state file says of the nodes. */
  recordedNodes(): readonly RecordedNode[] {
    return this.running?.assembly.fleet.records() ?? []
  }

  /** Drains and stops: new requests are refused, running ones end within `drainMs`, then engines stop. A second call with `force` cuts it short. */
  close(options: CloseOptions = {}): Promise<void> {
    if (options.force === true) this.forced.abort()
    this.closing ??= this.shutDown(options)
    return this.closing
  }

  private async shutDown(options: CloseOptions): Promise<void> {
    this.state = 'draining'
    this.eventLog.add({ kind: 'balancer', message: 'draining, then stopping' })
    const { running } = this
    const { forced, doors } = this
    const { clock } = this.options
    if (running !== undefined) await windDown(running, { ...options, clock, forced: forced.signal, isOpen: doors.urls.length > 0 })
    this.requestLog?.close()
    await this.control?.close()
    this.emitter.emit('closed', undefined)
  }

  private serve(exchange: Exchange): void {
    if (this.running !== undefined) return this.running.assembly.dataPath.gateway.handle(exchange)
    exchange.respond({ status: 503, headers: { 'content-type': 'text/plain', 'retry-after': '1' } })
    exchange.write(Buffer.from('this balancer is not started\n'))
    exchange.end()
  }

  /** Servers joined or left; those that left are drained. */
  private membersChanged(): void {
    if (this.state === 'draining' || this.running === undefined) return
    const { assembly, steering } = this.running
    assembly
      .join(steering.plans.topology)
      .catch((error: unknown) => this.options.log.error('source.not_joined', { error: messageOf(error) }))
  }

  private closedBecause(): string | undefined {
    return this.state === 'draining' ? STOPPING : undefined
  }

  private settled(record: RequestRecord): void {
    this.running?.steering.settled(record)
    this.requestLog?.add(record)
    this.emitter.emit('settled', record)
  }

  private nodeChanged(change: NodeChange): void {
    this.eventLog.add(nodeEvent(change))
    this.emitter.emit('record', undefined)
  }

  private need(): Running {
    if (this.running === undefined) throw new LbError('this balancer is not started', { code: 'LB_NOT_STARTED', source: 'operator' })
    return this.running
  }
}
