import type { Gpu } from '../../contracts/index.js'

/** An accelerator with what only placement and its reservation need to know. */
export interface MachineGpu extends Gpu {
  /** Names it across calls and topologies: its uuid, else its place on the bus, else its position. */
  readonly key: string
  /** For a MIG slice: the uuid of its card. */
  readonly cardUuid?: string
  /** Position as HIP and ROCr count, where it can be told; tools may count otherwise. */
  readonly runtimeIndex?: number
  /** Why nothing can run on it, in the tool's words. */
  readonly broken?: string
  /** The tool or place that told it. */
  readonly source: string
}

/** Something that keeps a tool from telling all, in words that help. */
export interface GpuProblem {
  readonly tool: string
  readonly message: string
  /** What to do next. */
  readonly hint: string
}

/** What one maker's tools said. */
export interface VendorFindings {
  readonly vendor: Gpu['vendor']
  readonly gpus: readonly MachineGpu[]
  readonly problems: readonly GpuProblem[]
  /** True where accelerators may be there although none is listed: what was known before still holds. */
  readonly failed: boolean
}

/** What a tool said of one accelerator; everything may be unknown. */
export type GpuFacts = Partial<Omit<MachineGpu, 'key'>> & Pick<MachineGpu, 'vendor' | 'index' | 'source'>

/** Fills in what was not said: with null, never with 0. */
export function machineGpu(facts: GpuFacts): MachineGpu {
  const { vendor, index, uuid = null, pciBusId = null } = facts
  const unknown = { memTotalMiB: null, memFreeMiB: null, utilization: null, temperatureC: null, unified: false }
  return { name: nameless[vendor], ...unknown, ...facts, uuid, pciBusId, key: gpuKey({ vendor, index, uuid, pciBusId }) }
}

/** What names an accelerator across calls and topologies. */
export function gpuKey({ vendor, index, uuid, pciBusId }: Pick<Gpu, 'vendor' | 'index' | 'uuid' | 'pciBusId'>): string {
  return uuid ?? `${vendor}-${pciBusId ?? index}`
}

const nameless = { nvidia: 'NVIDIA GPU', amd: 'AMD GPU', apple: 'Apple GPU' } as const
