import type { BalancerStatus, GpuStatus } from '@plimsoll/core'
import { clockTime, gibOf, percent } from '../units.js'
import { bar } from './bar.js'
import type { BoardRow, BoardView } from './board-row.js'
import { cellWidth, cutLine, fit, span, type Line } from './spans.js'

/** Below this there is no room for what a GPU does beside its name. */
const SHOWN_FROM = 60
const BAR_FROM = 90
const BAR_CELLS = 10
const LONGEST_NAME = 28
/** Figures older than this are told with their time: their tool has stopped to answer. */
const STALE_MS = 20_000

type Machine = Pick<BalancerStatus, 'gpus' | 'gpuProblems'>

/** The accelerators of the machine, one line each, under the pools; nothing where there are none. */
export function gpuRows({ gpus, gpuProblems }: Machine, view: BoardView): BoardRow[] {
  if (view.width < SHOWN_FROM) return []
  const names = Math.min(LONGEST_NAME, Math.max(0, ...gpus.map((gpu) => cellWidth(gpu.name))))
  const numbers = Math.max(3, ...gpus.map((gpu) => cellWidth(placeLabel(gpu))))
  const lines = gpus.map((gpu) => gpuLine(gpu, view, { names, numbers }))
  const problems = gpuProblems.map((each): Line => [span(` ! ${each.message}; ${each.hint}`, 'warn')])
  const all = [...lines, ...problems].map((line): BoardRow => ({ line: cutLine(line, view.width, view.glyphs.more) }))
  return all.length === 0 ? [] : [{ line: [] }, { line: [span(' GPUs', 'bold')] }, ...all]
}

/** `0`, `1`, `0 3g.20gb`. */
export function gpuLabel({ index, migProfile }: GpuStatus): string {
  return migProfile === null ? String(index) : `${index} ${migProfile}`
}

/** With its machine, where that is another one: `gpu1:0`. */
export function placeLabel(gpu: GpuStatus): string {
  return `${gpu.host ? `${gpu.host}:` : ''}${gpuLabel(gpu)}`
}

/** `98 %  71 of 80 GiB used  61 °C`, as far as it is known. */
export function gpuFigures(gpu: GpuStatus): string {
  return [busyText(gpu), memoryText(gpu), heatText(gpu)].filter((text) => text !== '').join('  ')
}

function gpuLine(gpu: GpuStatus, { width, glyphs, nowMs }: BoardView, widths: { names: number; numbers: number }): Line {
  const start = span(`   ${fit(placeLabel(gpu), widths.numbers)}  `)
  const name = span(`${fit(gpu.name, widths.names)}  `, 'dim')
  if (gpu.broken !== null) return [start, name, span(gpu.broken, 'bad')]
  const load: Line = gpu.utilization === null ? [span(' '.repeat(BAR_CELLS))] : bar(gpu.utilization, BAR_CELLS, glyphs)
  const busy: Line = width < BAR_FROM ? [] : [...load, span(' ')]
  const figures = span([fit(busyText(gpu), 5, 'right'), fit(memoryText(gpu), 21, 'right'), fit(heatText(gpu), 6, 'right')].join('  '))
  const stale = nowMs - gpu.seenAtMs > STALE_MS ? [span(`  as of ${clockTime(gpu.seenAtMs)}`, 'warn')] : []
  const holders = [...gpu.nodes, ...gpu.heldBy]
  return [start, name, ...busy, figures, ...stale, span(`  ${holders.join(', ')}`, gpu.nodes.length > 0 ? 'plain' : 'dim')]
}

function busyText({ utilization }: GpuStatus): string {
  return utilization === null ? '-' : percent(utilization)
}

function memoryText({ memTotalMiB, memFreeMiB }: GpuStatus): string {
  if (memTotalMiB === null || memFreeMiB === null) return '-'
  return `${gibOf(memTotalMiB - memFreeMiB).replace(' GiB', '')} of ${gibOf(memTotalMiB)} used`
}

function heatText({ temperatureC }: GpuStatus): string {
  return temperatureC === null ? '-' : `${temperatureC} °C`
}
