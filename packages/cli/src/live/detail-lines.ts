import type { GpuStatus, NodeStatus } from '@plimsoll/core'
import { cutLine, fit, gpuFigures, gpuLabel, span, wrapWords, type Line } from '../views/board/index.js'
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
  const short = wide ? facts.filter(([label, value]) => !ALONE.has(label) && value.length <= half - LABEL_WIDTH - 3) : []
  const long = facts.filter((fact) => !short.includes(fact))
  const pairs = short.flatMap((fact, index) => (index % 2 === 0 ? [[fact, short[index + 1]]] : []))
  const rows = pairs.map(([left, right]) => [...factSpans(left, half), ...factSpans(right, half)])
  return [title, ...rows, ...long.flatMap((fact) => wrappedFact(fact, width))].map((line) => cutLine(line, width))
}

type Fact = readonly [label: string, value: string]

const LABEL_WIDTH = 11
/** Lines that belong together, however short. */
const ALONE: ReadonlySet<string> = new Set(['reason', 'last words', '', 'warning'])

function factSpans(fact: Fact | undefined, width: number): Line {
  if (fact === undefined) return []
  return [span(` ${fit(fact[0], LABEL_WIDTH)}`, 'dim'), span(fit(fact[1], Math.max(0, width - LABEL_WIDTH - 1)))]
}

/** A long one is told whole, over as many lines as it takes. */
function wrappedFact([label, value]: Fact, width: number): Line[] {
  const parts = wrapWords(value, Math.max(10, width - LABEL_WIDTH - 1))
  return parts.map((part, index) => factSpans([index === 0 ? label : '', part], width))
}

function factsOf(node: NodeStatus, { nowMs, gpus }: Surroundings): Fact[] {
  const facts: (Fact | undefined)[] = [
    ['state', `${node.state} since ${sinceText(node.sinceMs, nowMs)}`],
    ['engine', node.version === null ? node.engine : `${node.engine} ${node.version}`],
    ['url', node.url],
    ['process', processText(node)],
    ['in flight', `${count(node.inFlight)}, of these ${count(node.waiting)} waiting`],
    ['tokens', `${count(node.tokensInFlight)} in flight, ${count(node.tokensPerSecond)} tok/s`],
    ['requests', `${count(node.requests)}, ${count(node.errors)} failed`],
    ['weight', String(node.weight)],
    node.revision === undefined ? undefined : ['revision', node.revision],
    ['TTFT', `${pair(node.ttftMs)} (p50 / p95)`],
    ['TPOT', `${pair(node.tpotMs)} (p50 / p95)`],
    node.progress === null ? undefined : ['loading', percent(node.progress)],
    node.reason === null ? undefined : ['reason', node.reason],
    ...node.lastLines.map((line, index): Fact => [index === 0 ? 'last words' : '', line]),
    ...node.warnings.map((warning): Fact => ['warning', warning]),
    ...loadFacts(node),
    ...gpus
      .filter((gpu) => node.gpus?.includes(gpu.key) === true)
      .map((gpu): Fact => [`GPU ${gpuLabel(gpu)}`, `${gpu.name}  ${gpuFigures(gpu)}`]),
    node.logPath === null ? undefined : ['log', node.logPath],
    node.evidence === undefined ? undefined : ['evidence', node.evidence],
  ]
  return facts.filter((fact) => fact !== undefined)
}

function processText({ pid, restarts, adopted, logPath }: NodeStatus): string {
  if (pid === null) return logPath === null ? 'attached, not started by lb' : `none runs, restarted ${restarts} times`
  return `pid ${pid}, restarted ${restarts} times${adopted ? ', taken over from an earlier lb' : ''}`
}

/** What the engine says of itself, where it says it. */
function loadFacts({ load }: NodeStatus): Fact[] {
  if (load === null) return []
  const { running, waiting, slots, kvUsedRatio, contextTokens, promptTokens, cachedTokens, adapters } = load
  const parts = [
    running === null ? undefined : `${count(running)} running${slots === null ? '' : ` of ${count(slots)}`}`,
    waiting === null ? undefined : `${count(waiting)} waiting`,
    kvUsedRatio === null ? undefined : `KV ${percent(kvUsedRatio)}`,
    cachedTokens === null || promptTokens === null || promptTokens === 0
      ? undefined
      : `${percent(cachedTokens / promptTokens)} of prompts cached`,
    contextTokens === null ? undefined : `context ${count(contextTokens)}`,
    load.asleep === true ? 'asleep' : undefined,
  ].filter((part) => part !== undefined)
  const old = load.ageMs > OLD_AFTER_MS ? ` (${duration(load.ageMs)} ago)` : ''
  const said: Fact[] = parts.length === 0 ? [] : [['it says', `${parts.join(', ')}${old}`]]
  return adapters === null || adapters.length === 0 ? said : [...said, ['adapters', adapters.join(', ')]]
}

const OLD_AFTER_MS = 15_000

function sinceText(sinceMs: number, nowMs: number): string {
  const ago = nowMs - sinceMs
  return ago < 60_000 ? clockTime(sinceMs) : `${clockTime(sinceMs)}, ${duration(Math.floor(ago / 60_000) * 60_000)}`
}

function pair(value: NodeStatus['ttftMs']): string {
  return value === null ? '-' : durationPair(value.p50, value.p95)
}
