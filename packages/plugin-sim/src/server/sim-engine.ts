import { createEngineModel, type EngineModel } from '@plimsoll/engine-model'
import { simDefaults, type SimSettings } from '../settings.js'
import { EngineDriver } from './engine-driver.js'
import { EngineMetrics } from './engine-metrics.js'
import { FaultSwitch, type Ending } from './fault-switch.js'
import { SimMemory } from './memory.js'

export interface SimEngineOptions {
  /** Names that clients may ask for; the first is the one it reports. */
  readonly models: readonly string[]
  readonly settings?: Partial<SimSettings>
  readonly ending: Ending
}

/** All that one simulated engine is, but for HTTP. */
export class SimEngine {
  readonly settings: SimSettings
  readonly model: EngineModel
  readonly driver: EngineDriver
  readonly metrics = new EngineMetrics()
  readonly faults: FaultSwitch
  readonly startedMs = performance.now()
  /** Of its simulated GPU, where it has one. */
  readonly memory: SimMemory | undefined
  isAsleep = false
  /** Requests that came while it slept: nobody should send any. */
  askedWhileAsleep = 0
  private ids = 0

  constructor(private readonly options: SimEngineOptions) {
    this.settings = { ...simDefaults, ...options.settings }
    const { profile, slowness, maxNumSeqs, maxNumBatchedTokens, kvTokens } = this.settings
    const replaced = Object.entries({ maxNumSeqs, maxNumBatchedTokens, kvTokens }).filter(([, value]) => value !== undefined)
    this.model = createEngineModel({ preset: profile, slowness, ...Object.fromEntries(replaced) })
    this.driver = new EngineDriver(this.model)
    this.faults = new FaultSwitch(this.driver, { ending: options.ending, slowness })
    const { memoryFolder: folder, memoryMib: mib } = this.settings
    this.memory = folder === undefined || mib === undefined ? undefined : new SimMemory({ folder, mib })
    if (this.memory?.take() === false) options.ending.exit(1, 'CUDA out of memory: others use the simulated GPU')
    if (this.settings.fault !== undefined) this.faults.declare(this.settings.fault)
  }

  /** Undefined once the model has loaded. */
  get loading(): { readonly progress: number } | undefined {
    const elapsedMs = performance.now() - this.startedMs
    const { loadMs } = this.settings
    // It gets half-way and no further.
    if (this.faults.current?.kind === 'hang-on-load') return { progress: Math.min(0.5, elapsedMs / Math.max(1, loadMs)) }
    return elapsedMs < loadMs ? { progress: elapsedMs / loadMs } : undefined
  }

  get models(): readonly string[] {
    const { models } = this.options
    return this.faults.current?.kind === 'wrong-model' ? models.map((name) => `${name}-wrong`) : models
  }

  get contextTokens(): number {
    const declared = Math.min(this.settings.contextTokens, this.model.kvTokens)
    return this.faults.current?.kind === 'small-context' ? Math.min(256, declared) : declared
  }

  nextId(): string {
    return String(this.ids++)
  }

  get received(): number {
    return this.ids
  }
}
