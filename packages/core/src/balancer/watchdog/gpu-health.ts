import type { Clock, TimerHandle } from '../../base/index.js'
import type { Gpu, Logger } from '../../contracts/index.js'
import { messageOf } from '../../errors/index.js'
import type { Charge } from '../../health/index.js'
import { gpuKey, type GpuReading, type GpuWatch } from '../../machines/index.js'
import type { Node } from '../../nodes/index.js'

export interface GpuHealthOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly nodes: () => readonly Node[]
  readonly watch: Pick<GpuWatch, 'read'>
  /** Errors that memory could not correct, by uuid. */
  readonly eccErrors: () => Promise<ReadonlyMap<string, number>>
  readonly eject: (nodeId: string, charge: Charge) => boolean
}

/** Tools cost a process each, and some take a second. */
const LOOK_MS = 15_000
const MAX_AGE_MS = 10_000

/** Watches the accelerators that launched nodes sit on, where this machine tells: gone, in need of a reset, with errors in their memory. Asks nothing where no node has one. */
export class GpuHealth {
  /** What is wrong with the accelerator of a node, by the node's id. */
  private readonly broken = new Map<string, string>()
  private readonly seen = new Set<string>()
  private ecc: ReadonlyMap<string, number> = new Map()
  private timer: TimerHandle | undefined
  private stopped = false

  constructor(private readonly options: GpuHealthOptions) {}

  start(): void {
    if (!this.stopped && this.timer === undefined) this.lookLater()
  }

  stop(): void {
    this.stopped = true
    this.timer?.cancel()
  }

  /** Why a node cannot be well, whatever it answers; undefined: nothing is known. */
  wrongWith(nodeId: string): string | undefined {
    return this.broken.get(nodeId)
  }

  private lookLater(): void {
    this.timer = this.options.clock.after(LOOK_MS, () => void this.look())
  }

  private async look(): Promise<void> {
    const seated = this.options.nodes().filter((node) => gpusOf(node).length > 0)
    try {
      if (seated.length > 0) await this.judge(seated)
      else this.broken.clear()
    } catch (error) {
      this.options.log.warn('gpu_health.failed', { error: messageOf(error) })
    }
    if (!this.stopped) this.lookLater()
  }

  private async judge(seated: readonly Node[]): Promise<void> {
    const { watch, eccErrors, eject } = this.options
    const reading = await watch.read(MAX_AGE_MS)
    const ecc = await eccErrors()
    const before = this.ecc
    this.ecc = ecc
    this.broken.clear()
    for (const node of seated) {
      const why = gpusOf(node)
        .map((gpu) => this.wrongIn(reading, gpu))
        .find((each) => each !== undefined)
      if (why !== undefined) this.broken.set(node.id, why)
      const grown = gpusOf(node).find(({ uuid }) => (ecc.get(uuid ?? '') ?? 0) > (before.get(uuid ?? '') ?? Infinity))
      if (node.standing.ejection !== undefined) continue
      if (why !== undefined) eject(node.id, { kind: 'hung', why, lost: why })
      else if (grown !== undefined)
        eject(node.id, { kind: 'failures', why: `the memory of its ${nameOf(grown)} had errors that could not be corrected` })
    }
    for (const { key } of reading.gpus) this.seen.add(key)
  }

  private wrongIn(reading: GpuReading, gpu: Gpu): string | undefined {
    const found = reading.gpus.find(({ key }) => key === gpuKey(gpu))
    if (found?.broken !== undefined) return `its ${nameOf(gpu)} is broken: ${found.broken}`
    // What was never listed, nobody can miss.
    return found === undefined && this.seen.has(gpuKey(gpu)) ? `its ${nameOf(gpu)} is gone` : undefined
  }
}

/** Accelerators of this machine that it was launched on. */
function gpusOf({ endpoint, state }: Node): readonly Gpu[] {
  const launch = endpoint?.launch
  const isUp = state === 'ready' || state === 'suspect' || state === 'warming' || state === 'loading'
  return !isUp || launch?.host !== undefined ? [] : (launch?.gpus ?? [])
}

function nameOf({ index, name }: Gpu): string {
  return `GPU ${index} (${name})`
}
