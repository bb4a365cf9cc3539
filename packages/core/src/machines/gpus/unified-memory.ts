import type { GpuMachine } from './gpu-machine.js'
import type { GpuFacts } from './machine-gpu.js'
import { mebibytes } from './tool-values.js'

/** Parts that work in the machine's main memory; some of them report a small wrong number instead of none. */
const SHARES_MAIN_MEMORY = /\b(GB10|N1X?|Tegra|Orin|Xavier|Thor|Jetson)\b/i

export interface MainMemory {
  readonly totalMiB: number | null
  readonly freeMiB: number | null
}

/** MemTotal and MemAvailable of Linux. */
export async function readMainMemory(machine: GpuMachine): Promise<MainMemory> {
  const text = (await machine.readText('/proc/meminfo')) ?? ''
  const value = (name: string): number | null => mebibytes(new RegExp(`^${name}:\\s+(\\d{1,15} kB)$`, 'm').exec(text)?.[1])
  return { totalMiB: value('MemTotal'), freeMiB: value('MemAvailable') }
}

/** Whether this NVIDIA part shares main memory: by its name, or because it says that it has none to report and yet works. */
export function sharesMainMemory(gpu: GpuFacts, saysNone: boolean): boolean {
  if (gpu.broken !== undefined) return false
  const works = typeof gpu.utilization === 'number' || typeof gpu.temperatureC === 'number'
  return SHARES_MAIN_MEMORY.test(gpu.name ?? '') || (saysNone && works && (gpu.memTotalMiB ?? null) === null)
}

/** A Jetson without nvidia-smi: the kernel names the board. */
export async function readJetson(machine: GpuMachine): Promise<GpuFacts[]> {
  const model = ((await machine.readText('/proc/device-tree/model')) ?? '').replaceAll('\0', '').trim()
  const isJetson = /jetson|tegra|orin|xavier|thor/i.test(model) || (await machine.readText('/etc/nv_tegra_release')) !== undefined
  if (!isJetson) return []
  const memory = await readMainMemory(machine)
  const name = model === '' ? 'NVIDIA Jetson' : model.slice(0, 120)
  return [
    { vendor: 'nvidia', source: 'device tree', index: 0, name, unified: true, memTotalMiB: memory.totalMiB, memFreeMiB: memory.freeMiB },
  ]
}
