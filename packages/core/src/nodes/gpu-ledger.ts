import type { GpuVendor } from '../contracts/index.js'
import type { LiveClaim, MachineGpu } from '../machines/index.js'
import { gib, gpuName } from './gpu-names.js'

/** One use of an accelerator that is reserved, by whomever. */
export interface GpuUse {
  readonly key: string
  /** `topology/pool/node`. */
  readonly holder: string
  readonly share: boolean
  /** Of this accelerator; null where nobody knows. */
  readonly needMiB: number | null
}

/** Reservations as uses; those of other users say whose they are, for nobody else can end them. */
export function usesOf(claims: readonly LiveClaim[]): GpuUse[] {
  return claims.map(({ key, holder, uid, share, needMiB }) => ({
    key,
    holder: uid === process.getuid?.() ? holder : `${holder} of user ${uid}`,
    share,
    needMiB,
  }))
}

/** What is spoken for while places are given out. */
export class GpuLedger {
  private readonly uses: GpuUse[]

  constructor(
    taken: readonly GpuUse[],
    private readonly soonFreeMiB: ReadonlyMap<string, number> = new Map(),
  ) {
    this.uses = [...taken]
  }

  add(use: GpuUse): void {
    this.uses.push(use)
  }

  /** Who is in the way of a new use. */
  inTheWay(gpu: MachineGpu, share: boolean): GpuUse | undefined {
    return this.uses.find((use) => use.key === gpu.key && !(use.share && share))
  }

  /** Memory that a new use could take: what is free now or soon, and not promised to others. */
  freeMiB(gpu: MachineGpu): number | null {
    if (gpu.memFreeMiB === null) return null
    const now = Math.max(gpu.memFreeMiB, this.soonFreeMiB.get(gpu.key) ?? 0)
    const promised = this.uses.reduce((sum, use) => sum + (use.key === gpu.key ? (use.needMiB ?? 0) : 0), 0)
    return gpu.memTotalMiB === null ? now : Math.max(0, Math.min(now, gpu.memTotalMiB - promised))
  }

  /** False only where it is known to have too little. */
  fits(gpu: MachineGpu, needMiB: number | null): boolean {
    const free = this.freeMiB(gpu)
    return needMiB === null || free === null || free >= needMiB
  }

  /** `GPU 0 has 3.1 of 80 GiB free`. */
  freeText(gpu: MachineGpu): string {
    const free = this.freeMiB(gpu)
    if (free === null) return `${gpuName(gpu)} does not tell its memory`
    return `${gpuName(gpu)} has ${gpu.memTotalMiB === null ? gib(free) : `${gib(free).replace(' GiB', '')} of ${gib(gpu.memTotalMiB)}`} free`
  }
}

const makers: Readonly<Record<GpuVendor, string>> = { nvidia: 'NVIDIA', amd: 'AMD', apple: 'Apple' }

export function makersOf(gpus: readonly MachineGpu[]): string[] {
  return [...new Set(gpus.map((gpu) => makers[gpu.vendor]))]
}
