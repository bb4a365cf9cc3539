import type { GpuFacts } from './machine-gpu.js'
import { busId, celsius, freeOf, knownNumber, mebibytes, ratio } from './tool-values.js'

/** Columns asked for, best first; a driver that does not know one gets the question without it. */
export const CSV_COLUMNS = [
  'index',
  'uuid',
  'name',
  'pci.bus_id',
  'memory.total',
  'memory.used',
  'memory.free',
  'utilization.gpu',
  'temperature.gpu',
  'mig.mode.current',
] as const

/** What every driver since 2013 knows. */
export const BASE_COLUMNS = CSV_COLUMNS.filter((column) => !['pci.bus_id', 'memory.free', 'mig.mode.current'].includes(column))

export type CsvColumn = (typeof CSV_COLUMNS)[number]

export interface CsvGpu extends GpuFacts {
  readonly migMode: boolean
  /** The tool would have told more to another user or outside this container. */
  readonly restricted: boolean
  /** Says that it has no memory to report, as parts in main memory do; a fault reads otherwise. */
  readonly memoryless: boolean
}

export interface CsvFindings {
  readonly gpus: readonly CsvGpu[]
  /** Lines that are no GPU: warnings, mostly. */
  readonly otherLines: readonly string[]
}

export function csvQuery(columns: readonly CsvColumn[]): string[] {
  return [`--query-gpu=${columns.join(',')}`, '--format=csv,noheader,nounits']
}

/** The column that this driver does not know, from its complaint. */
export function unknownColumn(text: string): CsvColumn | undefined {
  const named = /Field "([^"]+)" is not a valid field/i.exec(text)?.[1]
  return CSV_COLUMNS.find((column) => column === named)
}

/** Reads `--query-gpu` CSV of these columns. Every line is a GPU or is given back. */
export function parseNvidiaCsv(text: string, columns: readonly CsvColumn[]): CsvFindings {
  const gpus: CsvGpu[] = []
  const otherLines: string[] = []
  for (const line of text.split(/\r?\n/)) {
    const fields = fieldsOf(line, columns)
    const gpu = fields === undefined ? undefined : gpuOf(fields)
    if (gpu !== undefined) gpus.push(gpu)
    else if (line.trim() !== '') otherLines.push(line.trim())
  }
  return { gpus, otherLines }
}

/** By column; a name may itself hold commas, so what follows it is counted from the right. */
function fieldsOf(line: string, columns: readonly CsvColumn[]): Partial<Record<CsvColumn, string>> | undefined {
  const parts = line.split(',').map((part) => part.trim())
  const extra = parts.length - columns.length
  const nameAt = columns.indexOf('name')
  if (extra < 0 || nameAt < 0) return undefined
  const values = [...parts.slice(0, nameAt), parts.slice(nameAt, nameAt + extra + 1).join(', '), ...parts.slice(nameAt + extra + 1)]
  return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? '']))
}

function gpuOf(fields: Partial<Record<CsvColumn, string>>): CsvGpu | undefined {
  const index = knownNumber(fields.index)
  const uuid = /^GPU-[0-9a-f-]{8,}$/i.test(fields.uuid ?? '') ? (fields.uuid ?? null) : null
  const pciBusId = busId(fields['pci.bus_id'])
  if (index === null || !Number.isInteger(index) || (uuid === null && pciBusId === null && fields.uuid?.startsWith('[') !== true))
    return undefined
  const all = Object.values(fields).join(' ')
  const broken = /\[?(GPU requires reset|GPU is lost)\]?/i.exec(all)?.[1]
  const memTotalMiB = mebibytes(fields['memory.total'])
  const free = mebibytes(fields['memory.free'], { zero: true })
  return {
    vendor: 'nvidia',
    source: 'nvidia-smi',
    index,
    uuid,
    pciBusId,
    ...nameOf(fields.name),
    memTotalMiB,
    memFreeMiB: free ?? freeOf(memTotalMiB, mebibytes(fields['memory.used'], { zero: true })),
    utilization: ratio(fields['utilization.gpu']),
    temperatureC: celsius(fields['temperature.gpu']),
    ...(broken === undefined ? {} : { broken }),
    migMode: /^enabled$/i.test(fields['mig.mode.current'] ?? ''),
    restricted: /insufficient permissions/i.test(all),
    memoryless: /^\[?(n\/a|not supported)\]?$/i.test(fields['memory.total'] ?? ''),
  }
}

function nameOf(name: string | undefined): { name?: string } {
  return name === undefined || name === '' || name.startsWith('[') ? {} : { name: name.slice(0, 120) }
}
