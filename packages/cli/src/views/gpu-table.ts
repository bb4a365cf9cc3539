import type { GpuSnapshot, GpuStatus } from '@plimsoll/core'
import { sanitize } from './sanitize.js'
import { textTable } from './text-table.js'
import { gibOf, percent } from './units.js'

/** The accelerators of a machine, and what keeps the tools from telling more. Ends with a line break. */
export function gpuTable({ gpus, problems }: GpuSnapshot): string {
  const table =
    gpus.length === 0
      ? 'no GPU was found (looked with nvidia-smi, amd-smi, rocm-smi and in /sys; on a Mac with system_profiler)\n'
      : textTable(['GPU', 'NAME', 'FREE', 'MEMORY', 'BUSY', 'TEMP', 'RESERVED FOR', 'ID'], gpus.map(rowOf))
  const notes = [...gpus.filter((gpu) => gpu.broken !== null).map(brokenLine), ...problems.map((each) => `! ${each.message}; ${each.hint}`)]
  return notes.length === 0 ? table : `${table}\n${notes.map((note) => sanitize(note)).join('\n')}\n`
}

function rowOf(gpu: GpuStatus): (string | null)[] {
  const { index, name, migProfile, memFreeMiB, memTotalMiB, utilization, temperatureC, unified } = gpu
  return [
    migProfile === null ? String(index) : `${index} ${migProfile}`,
    name,
    memFreeMiB === null ? null : gibOf(memFreeMiB),
    memTotalMiB === null ? null : `${gibOf(memTotalMiB)}${unified ? ' shared' : ''}`,
    utilization === null ? null : percent(utilization),
    temperatureC === null ? null : `${temperatureC} °C`,
    [...gpu.nodes, ...gpu.heldBy].join(', '),
    gpu.uuid ?? gpu.pciBusId,
  ]
}

function brokenLine(gpu: GpuStatus): string {
  return `! GPU ${gpu.index}: ${gpu.broken ?? ''}; nothing is put on it`
}
