import type { GpuStatus, NodeStatus } from '@plimsoll/core'
import { cutLine, fit, gpuFigures, gpuLabel, span, type Line } from '../views/board/index.js'
import { clockTime, count, duration, durationPair, percent } from '../views/units.js'

/** What is known besides the node. */
export interface Surroundings {
  readonly nowMs: number
  readonly gpus: readonly GpuStatus[]
}

/** Everything that is known of one node, two facts to a line where there is room. */
export function detailLines(node: NodeStatus | undefined, width: number, around: Surroundings): Line[] {
  if (node === undefined) return [[span(' no node is selected', 'dim')]]
  const facts = factsOf(node, around)
  const title: Line = [span(` ${node.id}`, 'bold'), span('   Esc closes', 'dim')]
  const wide = width >= 90
  const half = Math.floor(width / 2)
  const short = wide ? facts.filter(([, value]) => value.length <= half - LABEL_WIDTH - 3) : []
  const long = facts.filter((fact) => !short.includes(fact))
  const pairs = short.flatMap((fact, index) => (index % 2 === 0 ? [[fact, short[index + 1]]] : []))
  const rows = pairs.map(([left, right]) => [...factSpans(left, half), ...factSpans(right, half)])
  return [title, ...rows, ...long.map((fact) => factSpans(fact, width))].map((line) => cutLine(line, width))
}

type Fact = readonly [label: string, value: string]

const LABEL_WIDTH = 11

function factSpans(fact: Fact | undefined, width: number): Line {
  if (fact === undefined) return []
  return [span(` ${fit(fact[0], LABEL_WIDTH)}`, 'dim'), span(fit(fact[1], Math.max(0, width - LABEL_WIDTH - 1)))]
}

function factsOf(node: NodeStatus, { nowMs, gpus }: Surroundings): Fact[] {
  const facts: (Fact | undefined)[] = [
    ['state', `${node.state} since ${sinceText(node.sinceMs, nowMs)}`],
    ['engine', node.version === null ? node.engine : `${node.engine} ${node.version}`],
    ['url', node.url],
    ['process', node.pid === null ? 'attached, not started by lb' : `pid ${node.pid}, restarted ${node.restarts} times`],
    ['in flight', `${count(node.inFlight)}, of these ${count(node.waiting)} waiting`],
    ['tokens', `${count(node.tokensInFlight)} in flight, ${count(node.tokensPerSecond)} tok/s`],
    ['requests', `${count(node.requests)}, ${count(node.errors)} failed`],
    ['weight', String(node.weight)],
    ['TTFT', `${pair(node.ttftMs)} (p50 / p95)`],
    ['TPOT', `${pair(node.tpotMs)} (p50 / p95)`],
    node.progress === null ? undefined : ['loading', percent(node.progress)],
    node.reason === null ? undefined : ['reason', node.reason],
    ...gpus
      .filter((gpu) => node.gpus?.includes(gpu.key) === true)
      .map((gpu): Fact => [`GPU ${gpuLabel(gpu)}`, `${gpu.name}  ${gpuFigures(gpu)}`]),
    node.logPath === null ? undefined : ['log', node.logPath],
  ]
  return facts.filter((fact) => fact !== undefined)
}

function sinceText(sinceMs: number, nowMs: number): string {
  const ago = nowMs - sinceMs
  return ago < 60_000 ? clockTime(sinceMs) : `${clockTime(sinceMs)}, ${duration(Math.floor(ago / 60_000) * 60_000)}`
}

function pair(value: NodeStatus['ttftMs']): string {
  return value === null ? '-' : durationPair(value.p50, value.p95)
}
