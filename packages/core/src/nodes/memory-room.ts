import type { MemoryRoom } from '../contracts/index.js'
import type { MachineGpu } from '../machines/index.js'

/** The memory of accelerators that one process could use together; undefined where they are too few for what is asked, whatever their memory. */
export function roomOn(gpus: readonly MachineGpu[], freeOf: (gpu: MachineGpu) => number | null, count: number): MemoryRoom | undefined {
  const sets = [...new Set(gpus.map((gpu) => gpu.vendor))].flatMap((vendor) => {
    const ours = gpus.filter((gpu) => gpu.vendor === vendor)
    const whole = ours.filter((gpu) => gpu.migProfile === undefined)
    // A process sees at most one slice.
    const slices = ours.filter((gpu) => gpu.migProfile !== undefined)
    return [freeOn(whole, freeOf), freeOn(slices, freeOf).slice(0, 1)]
  })
  const [freeMiB = []] = sets.filter((set) => set.length >= count).toSorted((a, b) => sum(b) - sum(a))
  return freeMiB.length === 0 ? undefined : { kind: 'gpus', freeMiB, count }
}

function freeOn(gpus: readonly MachineGpu[], freeOf: (gpu: MachineGpu) => number | null): number[] {
  return gpus.flatMap((gpu) => freeOf(gpu) ?? []).toSorted((a, b) => b - a)
}

function sum(all: readonly number[]): number {
  return all.reduce((total, each) => total + each, 0)
}

/** What all of them have free together. */
export function freeInAll({ freeMiB }: MemoryRoom): number {
  return sum(freeMiB)
}
