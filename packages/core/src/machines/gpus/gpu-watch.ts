import type { Clock } from '../../base/index.js'
import type { GpuVendor } from '../../contracts/index.js'
import { messageOf } from '../../errors/index.js'
import { createAmdFinder } from './amd.js'
import { createAppleFinder } from './apple.js'
import type { GpuMachine } from './gpu-machine.js'
import type { GpuProblem, MachineGpu, VendorFindings } from './machine-gpu.js'
import { createNvidiaFinder } from './nvidia.js'

/** The accelerators of a machine at one moment. */
export interface GpuReading {
  readonly gpus: readonly SeenGpu[]
  readonly problems: readonly GpuProblem[]
  /** When the tools were asked; epoch. */
  readonly atMs: number
  /** Why the machine cannot be asked at all; what is told of it is old. */
  readonly away?: GpuProblem
}

/** With the moment of its figures: older than the reading where its tool has failed since. */
export interface SeenGpu extends MachineGpu {
  readonly seenAtMs: number
}

/** Asks the tools when somebody wants to know, one question at a time, and keeps the last good answer. Has no timers: who does not ask costs nothing. */
export interface GpuWatch {
  readonly last: GpuReading | undefined
  /** A reading at most this old. Never rejects. */
  read(maxAgeMs: number): Promise<GpuReading>
}

export function createGpuWatch(machine: GpuMachine, clock: Clock): GpuWatch {
  const finders =
    machine.platform === 'darwin'
      ? [{ vendor: 'apple', find: createAppleFinder(machine) } as const]
      : [{ vendor: 'nvidia', find: createNvidiaFinder(machine) } as const, { vendor: 'amd', find: createAmdFinder(machine) } as const]
  const kept = new Map<string, readonly SeenGpu[]>()
  let last: GpuReading | undefined
  let lastAtMs = -Infinity
  let asking: Promise<GpuReading> | undefined
  const ask = async (): Promise<GpuReading> => {
    const findings = await Promise.all(finders.map(({ vendor, find }) => find().catch((error: unknown) => faultOf(vendor, error))))
    const atMs = clock.epochMs()
    for (const each of findings)
      if (!each.failed)
        kept.set(
          each.vendor,
          each.gpus.map((gpu) => ({ ...gpu, seenAtMs: atMs })),
        )
    last = { gpus: findings.flatMap((each) => kept.get(each.vendor) ?? []), problems: findings.flatMap((each) => each.problems), atMs }
    lastAtMs = clock.nowMs()
    return last
  }
  return {
    get last() {
      return last
    },
    read(maxAgeMs) {
      if (last !== undefined && clock.nowMs() - lastAtMs <= maxAgeMs) return Promise.resolve(last)
      asking ??= ask().finally(() => (asking = undefined))
      return asking
    },
  }
}

/** An output that nobody foresaw costs one maker's figures, not the balancer. */
function faultOf(vendor: GpuVendor, error: unknown): VendorFindings {
  const message = `what the tools of ${vendor} say cannot be read: ${messageOf(error)}`
  return { vendor, gpus: [], problems: [{ tool: 'lb', message, hint: 'this is a fault of lb; please report it' }], failed: true }
}
