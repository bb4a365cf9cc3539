/** Makers whose accelerators can be chosen. */
export type GpuVendor = 'nvidia' | 'amd' | 'apple'

/** One accelerator, or one MIG slice of one, as the machine's own tools tell it. What a tool does not know is null, never 0. */
export interface Gpu {
  readonly vendor: GpuVendor
  /** Position by PCI bus id, as the vendor's tool counts. A slice has that of its card. */
  readonly index: number
  /** `GPU-...` or `MIG-...` of NVIDIA, `GPU-<hex>` of AMD; null where the tool knows none. */
  readonly uuid: string | null
  readonly pciBusId: string | null
  readonly name: string
  readonly memTotalMiB: number | null
  readonly memFreeMiB: number | null
  /** 0..1. */
  readonly utilization: number | null
  readonly temperatureC: number | null
  /** Shares the machine's main memory; its figures are those of the machine. */
  readonly unified: boolean
  /** For a MIG slice: its profile, such as `3g.20gb`. */
  readonly migProfile?: string
}
