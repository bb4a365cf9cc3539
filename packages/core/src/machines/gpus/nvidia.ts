import type { GpuMachine, ToolRun } from './gpu-machine.js'
import { machineGpu, type GpuFacts, type GpuProblem, type MachineGpu, type VendorFindings } from './machine-gpu.js'
import { BASE_COLUMNS, CSV_COLUMNS, csvQuery, parseNvidiaCsv, unknownColumn, type CsvColumn, type CsvGpu } from './nvidia-csv.js'
import { parseNvidiaList, type ListedCard } from './nvidia-list.js'
import { parseNvidiaXml, type XmlCard } from './nvidia-xml.js'
import { slicesOf } from './nvidia-slices.js'
import { foundNothing, toolProblem } from './tool-problem.js'
import { readJetson, readMainMemory, sharesMainMemory } from './unified-memory.js'

const TOOL = 'nvidia-smi'

/** Finds NVIDIA's accelerators: CSV first, XML and `-L` where it leaves something open. Remembers which columns the driver knows. */
export function createNvidiaFinder(machine: GpuMachine): () => Promise<VendorFindings> {
  let columns: readonly CsvColumn[] = CSV_COLUMNS
  return async () => {
    const asked = await askCsv(machine, columns)
    columns = asked.columns
    const { run } = asked
    if (run.failure === 'missing') return found((await readJetson(machine)).map(machineGpu))
    if (run.failure !== undefined) return found([], [toolProblem(TOOL, run)], true)
    const csv = parseNvidiaCsv(run.stdout, columns)
    if (csv.gpus.length > 0) {
      const problems = [...csv.otherLines.map(warning), ...csv.gpus.filter((gpu) => gpu.broken !== undefined).map(brokenProblem)]
      const complete = await completed(machine, csv.gpus)
      return found(complete.gpus, [...problems, ...complete.problems])
    }
    if (foundNothing(run)) return found((await readJetson(machine)).map(machineGpu))
    // A driver that is not there answers no other question either.
    const problem = toolProblem(TOOL, run)
    if (run.code !== 0 && run.code !== 2) return found([], [problem], true)
    const other = await withoutCsv(machine)
    return other.length > 0 ? found(other) : found([], [problem], true)
  }
}

function found(gpus: readonly MachineGpu[], problems: readonly (GpuProblem | undefined)[] = [], failed = false): VendorFindings {
  return { vendor: 'nvidia', gpus, problems: problems.filter((problem) => problem !== undefined), failed }
}

/** Leaves out what this driver does not know, one column at a time, at last all that is not old. */
async function askCsv(machine: GpuMachine, first: readonly CsvColumn[]): Promise<{ run: ToolRun; columns: readonly CsvColumn[] }> {
  let columns = first
  for (;;) {
    const run = await machine.run(TOOL, csvQuery(columns))
    if (run.failure !== undefined || run.code !== 2) return { run, columns }
    const unknown = unknownColumn(`${run.stdout}\n${run.stderr}`)
    const fewer = columns.filter((column) => column !== unknown)
    if (fewer.length < columns.length && !BASE_COLUMNS.includes(unknown ?? 'index')) columns = fewer
    else if (columns.length > BASE_COLUMNS.length) columns = BASE_COLUMNS
    else return { run, columns }
  }
}

/** MIG slices, unified memory, and what another report knows better. */
async function completed(machine: GpuMachine, cards: readonly CsvGpu[]): Promise<{ gpus: MachineGpu[]; problems: GpuProblem[] }> {
  const open = cards.some((card) => card.broken === undefined && (card.migMode || card.restricted || card.memTotalMiB === null))
  const details = open ? parseNvidiaXml((await machine.run(TOOL, ['-q', '-x'])).stdout) : []
  const wantsList = cards.some((card) => card.migMode || card.restricted) || details.some((card) => card.migMode || card.slices.length > 0)
  const listed = wantsList ? parseNvidiaList((await machine.run(TOOL, ['-L'])).stdout) : []
  const main = await readMainMemory(machine)
  const all = cards.map((card) => oneCard(card, { details, listed, main }))
  return { gpus: all.flatMap((each) => each.gpus), problems: all.flatMap((each) => each.problems) }
}

interface Reports {
  readonly details: readonly XmlCard[]
  readonly listed: readonly ListedCard[]
  readonly main: { readonly totalMiB: number | null; readonly freeMiB: number | null }
}

function oneCard(csv: CsvGpu, { details, listed, main }: Reports): { gpus: MachineGpu[]; problems: GpuProblem[] } {
  const { migMode, restricted, memoryless, ...facts } = csv
  const detail = details.find((each) => each.uuid !== null && each.uuid === csv.uuid) ?? details.find((each) => each.index === csv.index)
  const card = merged(facts, detail)
  const list = listed.find((each) => each.uuid === card.uuid) ?? listed.find((each) => each.index === card.index)
  const slices = slicesOf(card, detail, list)
  if (slices.length > 0) return { gpus: slices, problems: [] }
  if (migMode || detail?.migMode === true) return { gpus: [], problems: [sliceless(csv.index)] }
  const shares = !restricted && sharesMainMemory(card, memoryless)
  const memory = shares ? { unified: true, memTotalMiB: main.totalMiB, memFreeMiB: main.freeMiB } : {}
  return { gpus: [machineGpu({ ...card, ...memory })], problems: [] }
}

/** What the CSV left open, from the XML. */
function merged(csv: GpuFacts, detail: XmlCard | undefined): GpuFacts {
  return {
    ...csv,
    uuid: csv.uuid ?? detail?.uuid ?? null,
    pciBusId: csv.pciBusId ?? detail?.pciBusId ?? null,
    ...((csv.name ?? detail?.name) === undefined ? {} : { name: csv.name ?? detail?.name ?? '' }),
    memTotalMiB: csv.memTotalMiB ?? detail?.memTotalMiB ?? null,
    memFreeMiB: csv.memFreeMiB ?? detail?.memFreeMiB ?? null,
    utilization: csv.utilization ?? detail?.utilization ?? null,
    temperatureC: csv.temperatureC ?? detail?.temperatureC ?? null,
  }
}

/** The CSV was refused altogether. */
async function withoutCsv(machine: GpuMachine): Promise<MachineGpu[]> {
  const listed = parseNvidiaList((await machine.run(TOOL, ['-L'])).stdout)
  const details = parseNvidiaXml((await machine.run(TOOL, ['-q', '-x'])).stdout)
  const main = await readMainMemory(machine)
  const bare = listed.map((card): GpuFacts => ({ vendor: 'nvidia', source: TOOL, index: card.index, uuid: card.uuid, name: card.name }))
  const cards = details.length > 0 ? details.map(({ migMode: _migMode, slices: _slices, ...facts }): GpuFacts => facts) : bare
  return cards.flatMap((card) => {
    const detail = details.find((each) => each.uuid === card.uuid)
    const list = listed.find((each) => each.uuid === card.uuid)
    const open = { migMode: detail?.migMode ?? false, restricted: detail === undefined, memoryless: false }
    return oneCard({ ...card, ...open }, { details, listed: list === undefined ? [] : [list], main }).gpus
  })
}

function warning(line: string): GpuProblem {
  return { tool: TOOL, message: `${TOOL} said: ${line.slice(0, 200)}`, hint: 'nvidia-smi -q tells more' }
}

function brokenProblem(gpu: CsvGpu): GpuProblem {
  const lost = /lost/i.test(gpu.broken ?? '')
  return {
    tool: TOOL,
    message: `GPU ${gpu.index}: ${gpu.broken ?? ''}`,
    hint: lost ? 'reboot the machine; dmesg tells more (Xid)' : `end what uses it, then: sudo nvidia-smi --gpu-reset -i ${gpu.index}`,
  }
}

function sliceless(index: number): GpuProblem {
  return {
    tool: TOOL,
    message: `GPU ${index} is in MIG mode and has no slices, so nothing can run on it`,
    hint: `make slices (nvidia-smi mig -cgi), or leave MIG mode: sudo nvidia-smi -i ${index} -mig 0`,
  }
}
