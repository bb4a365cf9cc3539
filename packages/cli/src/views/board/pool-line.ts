import type { NodeStatus, PoolStatus } from '@plimsoll/core'
import { count, duration } from '../units.js'
import { toneOf, type Glyphs } from './glyphs.js'
import { sparkline } from './sparkline.js'
import { cut, cutLine, justify, span, type Line } from './spans.js'

/**
 * Headings of pools: `chat  qwen3-4b  least-tokens  28 in flight  3 waiting    TTFT ▁▁▂▁▃ 180 ms`. What does not fit leaves, the least telling
 * first, and from all of them alike, so that they stand under each other.
 */
export function poolHeadings(pools: readonly PoolStatus[], width: number, glyphs: Glyphs): Line[] {
  for (const detail of DETAILS) {
    const lines = pools.map((pool) => justify(heading(pool, detail, glyphs), latency(pool, detail.cells, glyphs), width))
    if (lines.every((line) => line !== undefined)) return lines
  }
  return pools.map((pool) => cutLine(heading(pool, { models: false, strategy: false, cells: 0 }, glyphs), width, glyphs.more))
}

interface Detail {
  readonly models: boolean
  readonly strategy: boolean
  /** Width of the sparkline. */
  readonly cells: number
}

const DETAILS: readonly Detail[] = [
  { models: true, strategy: true, cells: 24 },
  { models: true, strategy: true, cells: 12 },
  { models: true, strategy: false, cells: 12 },
  { models: true, strategy: false, cells: 6 },
  { models: false, strategy: false, cells: 12 },
  { models: false, strategy: false, cells: 0 },
]

const MODELS_WIDTH = 40

function heading(pool: PoolStatus, { models, strategy }: Detail, glyphs: Glyphs): Line {
  return [
    span(` ${pool.name}`, 'bold'),
    ...(models ? [span(`  ${cut(pool.models.join(', '), MODELS_WIDTH, glyphs.more)}`)] : []),
    ...(strategy ? [span(`  ${pool.strategy}`, 'dim')] : []),
    span(`  ${count(pool.inFlight)} in flight`),
    waitingSpan(pool),
    ...lineSpan(pool),
  ]
}

/** The pool and its nodes on one line, for terminals with no room for rows: `chat  ●●◐✕  2 of 4 ready  14 in flight  180 ms`. */
export function foldedPoolLine(pool: PoolStatus, width: number, glyphs: Glyphs): Line {
  const ready = pool.nodes.filter((node) => node.state === 'ready').length
  const left: Line = [
    span(` ${pool.name}  `, 'bold'),
    ...pool.nodes.map((node) => signOf(node, glyphs)),
    span(`  ${ready} of ${pool.nodes.length} ready`),
    span(`  ${count(pool.inFlight)} in flight`),
    waitingSpan(pool),
    ...lineSpan(pool),
  ]
  return (
    justify(left, latency(pool, 12, glyphs), width) ?? justify(left, latency(pool, 0, glyphs), width) ?? cutLine(left, width, glyphs.more)
  )
}

function signOf(node: NodeStatus, glyphs: Glyphs) {
  return span(glyphs.states[node.state] ?? '?', toneOf(node.state))
}

function waitingSpan(pool: PoolStatus) {
  return span(`  ${count(pool.waiting)} waiting`, pool.waiting > 0 ? 'warn' : 'dim')
}

/** For a node, or for leave to be tried again; most of the time nobody is. */
function lineSpan({ inLine = 0, retries }: PoolStatus) {
  const standing = inLine + (retries?.waiting ?? 0)
  return standing === 0 ? [] : [span(`  ${count(standing)} in line`, 'warn')]
}

/** A sparkline and the median; nothing was answered lately reads as `TTFT -`. */
function latency(pool: PoolStatus, cells: number, glyphs: Glyphs): Line {
  if (pool.ttftMs === null && pool.ttftHistoryMs.every((value) => value === null)) return [span('TTFT -', 'dim')]
  const now = pool.ttftMs === null ? '-' : duration(pool.ttftMs.p50)
  const spark = cells === 0 ? [] : [span(`${sparkline(pool.ttftHistoryMs, cells, glyphs)} `, 'accent')]
  return [span('TTFT ', 'dim'), ...spark, span(now.padStart(6))]
}
