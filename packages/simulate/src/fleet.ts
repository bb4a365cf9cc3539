import type { Candidate, LoadFacts } from '@plimsoll/core/routing'
import { createVirtualEngine, enginePresets, type VirtualEngine } from '@plimsoll/engine-model'
import type { Flight } from './flight.js'
import type { NodeLoad } from './load-recorder.js'
import type { PromptFacts } from './prompt-facts.js'
import type { SimulatedNode } from './simulation-options.js'
import { TimeHeap } from './time-heap.js'

/** What comes back from engines. */
export interface FleetEvents {
  firstToken(key: number, atMs: number, cachedTokens: number): void
  finished(key: number, atMs: number): void
  preempted(): void
}

/** Modelled engines, by place in the list of nodes, and those that the balancer holds for live. */
export class Fleet {
  readonly engines: readonly VirtualEngine[]
  /** In order of place. Replaced whole when a node leaves or comes back. */
  live: readonly Candidate[]
  private readonly candidates: Candidate[]
  private readonly isDown: boolean[]
  private readonly agenda: TimeHeap
  private readonly placeOfRow: ReadonlyMap<number, number>

  constructor(
    private readonly nodes: readonly SimulatedNode[],
    /** Row of each node in the belief. */
    private readonly rows: readonly number[],
    private readonly events: FleetEvents,
  ) {
    this.engines = nodes.map(({ preset, slowness = 1 }) => createVirtualEngine({ preset, slowness }))
    this.candidates = nodes.map((node, place) => candidateOf(node, place, rows[place] ?? place))
    this.isDown = nodes.map(() => false)
    this.agenda = new TimeHeap(nodes.length)
    this.live = [...this.candidates]
    this.placeOfRow = new Map(rows.map((row, place) => [row, place]))
  }

  /** Row of a node in the belief. */
  rowOf(node: number): number {
    return this.rows[node] ?? node
  }

  /** When an engine has something to say next. */
  get nextMs(): number {
    return this.agenda.firstMs
  }

  /** Lets the engine that is due work until now. */
  work(nowMs: number): void {
    this.advance(this.agenda.first, nowMs)
  }

  /** False when nothing listens there, or the request can never fit. */
  submit(flight: Flight, nowMs: number): boolean {
    const { node, key, request, facts } = flight
    const engine = this.engines[node]
    if (engine === undefined || this.isDown[node] === true) return false
    this.advance(node, nowMs)
    const { prompt: promptRuns, outputTokens, answerId } = request
    const { promptTokens } = facts
    if (promptTokens + outputTokens > this.longestTokens(node)) return false
    engine.submit({ key, promptRuns, promptTokens, outputTokens, ...(answerId === undefined ? {} : { answerId }) }, nowMs)
    this.agenda.set(node, engine.nextMs)
    return true
  }

  /** Prompt and answer of one request together, at most. */
  private longestTokens(node: number): number {
    return enginePresets[this.nodes[node]?.preset ?? 'instant'].kvTokens
  }

  /** Prompt tokens of such a request that the node's cache holds now. */
  cachedTokens(node: number, { prompt, promptTokens }: PromptFacts): number {
    return this.engines[node]?.cachedTokens(prompt, promptTokens) ?? 0
  }

  /** The process dies; returns the keys that were lost. */
  crash(node: number, nowMs: number): readonly number[] {
    this.advance(node, nowMs)
    this.isDown[node] = true
    const lost = this.engines[node]?.crash(nowMs) ?? []
    this.agenda.set(node, Infinity)
    return lost
  }

  /** The process is there again, and empty; false when it was there all the time. */
  restart(node: number): boolean {
    const wasDown = this.isDown[node] === true
    this.isDown[node] = false
    return wasDown
  }

  /** Undefined: as at the start. */
  setSlowness(node: number, slowness: number | undefined, nowMs: number): void {
    this.advance(node, nowMs)
    const engine = this.engines[node]
    engine?.setSlowness(slowness ?? this.nodes[node]?.slowness ?? 1, nowMs)
    if (engine !== undefined) this.agenda.set(node, engine.nextMs)
  }

  /** The balancer has learned that the node is gone, or back as another process. */
  setLive(node: number, isLive: boolean): void {
    const candidate = this.candidates[node]
    if (candidate === undefined) return
    if (isLive) this.candidates[node] = { ...candidate, incarnation: (candidate.incarnation ?? 0) + 1 }
    this.live = this.candidates.filter((each) => (each === this.candidates[node] ? isLive : this.live.some(({ id }) => id === each.id)))
  }

  candidateAt(node: number): Candidate | undefined {
    return this.candidates[node]
  }

  /** Place of a candidate in the list of nodes. */
  placeOf({ index }: Candidate): number {
    return this.placeOfRow.get(index) ?? -1
  }

  /** What the engine would tell at a poll; undefined while it is down. */
  loadFacts(node: number, nowMs: number): LoadFacts | undefined {
    if (this.isDown[node] === true) return undefined
    this.advance(node, nowMs)
    const stats = this.engines[node]?.stats
    const preset = this.nodes[node]?.preset
    if (stats === undefined || preset === undefined) return undefined
    const { running, waiting, usedBlocks, totalBlocks } = stats
    const { kvTokens, maxNumSeqs } = enginePresets[preset]
    const kvBlockTokens = Math.floor(kvTokens / totalBlocks)
    return { running, waiting, slots: maxNumSeqs, kvUsedRatio: usedBlocks / totalBlocks, kvBlocks: totalBlocks, kvBlockTokens }
  }

  /** Steps that gave its decoding requests a token, so far, and when the last of them ended. */
  decoded(node: number, nowMs: number): { readonly steps: number; readonly atMs: number } {
    this.advance(node, nowMs)
    const { decodeSteps: steps = 0, lastDecodeMs: atMs = 0 } = this.engines[node] ?? {}
    return { steps, atMs }
  }

  loadOf(node: number, nowMs: number): NodeLoad {
    const { running = 0, waiting = 0, kvUsedRatio = 0 } = this.loadFacts(node, nowMs) ?? {}
    return { running, waiting, kvUsedRatio }
  }

  private advance(node: number, nowMs: number): void {
    const engine = this.engines[node]
    if (engine === undefined) return
    engine.advance(nowMs, this.events)
    this.agenda.set(node, engine.nextMs)
  }
}

function candidateOf({ weight = 1, zone, price }: SimulatedNode, place: number, index: number): Candidate {
  return { id: `sim/n${place}`, index, weight, ...(zone === undefined ? {} : { zone }), ...(price === undefined ? {} : { price }) }
}
