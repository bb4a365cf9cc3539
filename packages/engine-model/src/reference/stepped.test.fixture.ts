import { createEngineModel, type EngineModel } from '../engine-model.js'
import type { EngineModelOptions } from '../engine-options.js'
import type { VirtualEngine, VirtualEngineEvents, VirtualRequest } from '../virtual-contract.js'
import { BlockNames } from './block-names.test.fixture.js'

/** The model as plugin-sim drives it, step by step and with a hash for each block, on a clock that is never late. */
export class SteppedEngine implements Omit<VirtualEngine, 'cachedTokens' | 'decodeSteps' | 'lastDecodeMs'> {
  nextMs = Infinity
  private model: EngineModel
  private readonly keys = new Set<number>()
  private readonly blocks: BlockNames

  constructor(private options: EngineModelOptions) {
    this.model = createEngineModel(options)
    this.blocks = new BlockNames(this.model.blockTokens)
  }

  submit(request: VirtualRequest, nowMs: number): void {
    const { key, promptTokens, outputTokens } = request
    this.model.submit({ id: String(key), promptTokens, outputTokens, blockHashes: this.blocks.of(request) })
    this.keys.add(key)
    if (!this.model.stepping) this.startStep(nowMs)
  }

  cancel(key: number): boolean {
    this.keys.delete(key)
    return this.model.cancel(String(key))
  }

  advance(nowMs: number, events: VirtualEngineEvents): void {
    while (this.nextMs <= nowMs) {
      const atMs = this.nextMs
      const { tokens, finished, preempted } = this.model.finishStep()
      for (const { id } of preempted) events.preempted?.(Number(id))
      for (const { id, producedTokens, cachedTokens } of tokens) if (producedTokens === 1) events.firstToken(Number(id), atMs, cachedTokens)
      for (const { id } of finished) {
        this.keys.delete(Number(id))
        events.finished(Number(id), atMs)
      }
      this.startStep(atMs)
    }
  }

  setSlowness(slowness: number): void {
    this.options = { ...this.options, slowness }
    this.model.setSlowness(slowness)
  }

  crash(): readonly number[] {
    const lost = [...this.keys]
    this.keys.clear()
    this.model = createEngineModel(this.options)
    this.nextMs = Infinity
    return lost
  }

  get stats() {
    return this.model.stats
  }

  private startStep(nowMs: number): void {
    const durationMs = this.model.startStep()
    this.nextMs = durationMs === undefined ? Infinity : nowMs + durationMs
  }
}
