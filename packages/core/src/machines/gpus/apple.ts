import type { GpuMachine } from './gpu-machine.js'
import { machineGpu, type GpuFacts, type MachineGpu, type VendorFindings } from './machine-gpu.js'
import { fieldsOf, readToolJson, rowsOf } from './read-tool-json.js'
import { toolProblem } from './tool-problem.js'
import { knownText, mebibytes, mebibytesOfBytes, ratio } from './tool-values.js'

/** Share of main memory that Metal takes unless `iogpu.wired_limit_mb` says otherwise; Apple tells it only through Metal itself. */
const METAL_SHARE = 0.75

/** Finds the GPU of a Mac. What the slow system_profiler told once holds until the process ends. */
export function createAppleFinder(machine: GpuMachine): () => Promise<VendorFindings> {
  let displays: readonly GpuFacts[] | undefined
  return async () => {
    const problems: VendorFindings['problems'][number][] = []
    if (displays === undefined) {
      const run = await machine.run('system_profiler', ['SPDisplaysDataType', '-json'])
      const found = parseDisplays(run.stdout)
      const problem = found.length > 0 ? undefined : toolProblem('system_profiler', run)
      if (problem !== undefined) problems.push(problem)
      else displays = found
    }
    const memory = displays?.some((gpu) => gpu.unified) === true ? await readMacMemory(machine) : undefined
    const gpus = (displays ?? []).map((gpu): MachineGpu => machineGpu(gpu.unified === true ? { ...gpu, ...memory } : gpu))
    return { vendor: 'apple', gpus, problems, failed: displays === undefined }
  }
}

/** Reads `system_profiler SPDisplaysDataType -json`. Apple's own parts have no memory of their own and tell none. */
export function parseDisplays(text: string): GpuFacts[] {
  const rows = rowsOf(fieldsOf(readToolJson(text))['SPDisplaysDataType']).map(fieldsOf)
  return rows.map((row, index): GpuFacts => {
    const name = knownText(row['sppci_model']) ?? knownText(row['_name']) ?? 'GPU'
    const chip = /^kHW_Apple(\w+?)Item$/.exec(name)?.[1]
    const isApple = row['spdisplays_vendor'] === 'sppci_vendor_Apple' || name.startsWith('Apple') || chip !== undefined
    const common = {
      vendor: 'apple',
      source: 'system_profiler',
      index,
      name: chip === undefined ? name.slice(0, 120) : `Apple ${chip}`,
    } as const
    return isApple ? { ...common, unified: true } : { ...common, memTotalMiB: mebibytes(row['spdisplays_vram']) }
  })
}

/** Main memory, what of it Metal may still take, and how busy the GPU is. */
async function readMacMemory(machine: GpuMachine): Promise<Partial<GpuFacts>> {
  const [size, limit, report, pages] = await Promise.all([
    machine.run('sysctl', ['-n', 'hw.memsize']),
    machine.run('sysctl', ['-n', 'iogpu.wired_limit_mb']),
    machine.run('ioreg', ['-r', '-d', '1', '-c', 'IOAccelerator']),
    machine.run('vm_stat', []),
  ])
  const memTotalMiB = mebibytesOfBytes(size.stdout)
  const { utilization, inUseMiB } = parseAccelerator(report.stdout)
  const usableMiB = mebibytes(limit.stdout) ?? (memTotalMiB === null ? null : Math.round(memTotalMiB * METAL_SHARE))
  const underLimit = usableMiB === null ? null : Math.max(0, usableMiB - (inUseMiB ?? 0))
  const free = [underLimit, parseVmStat(pages.stdout)].filter((value) => value !== null)
  return { memTotalMiB, memFreeMiB: free.length === 0 || memTotalMiB === null ? null : Math.min(...free), utilization }
}

/** Reads `ioreg -r -d 1 -c IOAccelerator`. */
export function parseAccelerator(text: string): { utilization: number | null; inUseMiB: number | null } {
  const value = (name: string): string | undefined => new RegExp(`"${name}"\\s*=\\s*(\\d{1,15})`).exec(text)?.[1]
  return { utilization: ratio(value('Device Utilization %')), inUseMiB: mebibytesOfBytes(value('In use system memory'), { zero: true }) }
}

/** MiB that programs can have at once: pages that are free, inactive, speculative or purgeable. */
export function parseVmStat(text: string): number | null {
  const pageBytes = Number(/page size of (\d{1,7}) bytes/.exec(text)?.[1])
  const counts = ['free', 'inactive', 'speculative', 'purgeable'].map(
    (kind) => new RegExp(`^Pages ${kind}:\\s+(\\d{1,12})`, 'm').exec(text)?.[1],
  )
  if (!Number.isFinite(pageBytes) || counts[0] === undefined) return null
  const pages = counts.reduce((sum, count) => sum + Number(count ?? 0), 0)
  return Math.round((pages * pageBytes) / (1024 * 1024))
}
