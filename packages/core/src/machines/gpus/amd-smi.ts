import type { GpuFacts } from './machine-gpu.js'
import { fieldsOf, readToolJson, rowsOf } from './read-tool-json.js'
import { busId, celsius, freeOf, knownNumber, knownText, mebibytes, ratio } from './tool-values.js'

/** Joins `amd-smi list`, `static --asic --vram` and `metric` (all --json) by the number of the GPU. Any of them may be missing. */
export function parseAmdSmi(outputs: { readonly list?: string; readonly static?: string; readonly metric?: string }): GpuFacts[] {
  const [list, fixed, metric] = [outputs.list, outputs.static, outputs.metric].map(rowsByGpu)
  const numbers = new Set([...(list?.keys() ?? []), ...(fixed?.keys() ?? []), ...(metric?.keys() ?? [])])
  return [...numbers]
    .sort((a, b) => a - b)
    .map((index) => factsOf(index, { ...list?.get(index), ...fixed?.get(index), ...metric?.get(index) }))
}

/** A bare array up to ROCm 6, `{"gpu_data": [...]}` since ROCm 7. */
function rowsByGpu(text: string | undefined): Map<number, Readonly<Record<string, unknown>>> {
  const value = text === undefined ? undefined : readToolJson(text)
  const rows = Array.isArray(value) ? value : rowsOf(fieldsOf(value)['gpu_data'])
  const found = new Map<number, Readonly<Record<string, unknown>>>()
  for (const row of rows.map(fieldsOf)) {
    const gpu = knownNumber(row['gpu'])
    if (gpu !== null && Number.isInteger(gpu)) found.set(gpu, { ...found.get(gpu), ...row })
  }
  return found
}

function factsOf(index: number, row: Readonly<Record<string, unknown>>): GpuFacts {
  const asic = fieldsOf(row['asic'])
  const memory = fieldsOf(row['mem_usage'])
  const temperature = fieldsOf(row['temperature'])
  const name = knownText(asic['market_name'])
  const memTotalMiB = withUnit(memory['total_vram']) ?? withUnit(fieldsOf(row['vram'])['size'])
  return {
    vendor: 'amd',
    source: 'amd-smi',
    index,
    pciBusId: busId(row['bdf']) ?? busId(fieldsOf(row['bus'])['bdf']),
    ...(name === undefined ? {} : { name: name.slice(0, 120) }),
    memTotalMiB,
    memFreeMiB: withUnit(memory['free_vram'], { zero: true }) ?? freeOf(memTotalMiB, withUnit(memory['used_vram'], { zero: true })),
    utilization: ratio(bare(fieldsOf(row['usage'])['gfx_activity'])),
    // Data-centre cards have no edge sensor.
    temperatureC: celsius(bare(temperature['edge'])) ?? celsius(bare(temperature['hotspot'])),
  }
}

/** Values are `{value, unit}`, a bare number, or the text `N/A`. */
function bare(value: unknown): unknown {
  return typeof value === 'object' ? fieldsOf(value)['value'] : value
}

/** Its MB are MiB. */
function withUnit(value: unknown, options?: { readonly zero: boolean }): number | null {
  const number = knownNumber(bare(value))
  return number === null ? null : mebibytes(`${number} ${knownText(fieldsOf(value)['unit']) ?? 'MB'}`, options)
}
