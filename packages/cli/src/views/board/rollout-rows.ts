import type { JudgeFigure, NodeStatus, PoolStatus, RolloutSide, RolloutStatus } from '@plimsoll/core'
import { clockTime } from '../units.js'
import { bar } from './bar.js'
import type { BoardRow, BoardView } from './board-row.js'
import { changeText, figureName, figurePair, phaseText, shareText, stepText, verdictText } from './figure-text.js'
import { toneOf, type Glyphs } from './glyphs.js'
import { cutLine, lineWidth, span, type Line, type Span, type Tone } from './spans.js'
import { wrapWords } from './wrap-words.js'

/** A rollout that is over stays in sight for so long. */
const SHOWN_AFTER_MS = 600_000
const BAR_CELLS = 10
const COMPACT_BELOW = 60
const INDENT = 9
/** Lines that the judge's figures may take; with their limits only where that is enough. */
const MOST_FIGURE_LINES = 3

/** Of every pool with a rollout: old and new, how far it is, and the judge's figures side by side. Nothing where there is none. */
export function rolloutRows(pools: readonly PoolStatus[], view: BoardView): BoardRow[] {
  const shown = pools.filter(({ rollout }) => rollout !== undefined && isInSight(rollout, view.nowMs))
  const lines = shown.flatMap((pool) => (pool.rollout === undefined ? [] : strip(pool, pool.rollout, view)))
  return lines.length === 0 ? [] : [{ line: [] }, ...lines.map((line) => ({ line: cutLine(line, view.width, view.glyphs.more) }))]
}

function isInSight({ endedAtMs }: RolloutStatus, nowMs: number): boolean {
  return endedAtMs === null || nowMs - endedAtMs < SHOWN_AFTER_MS
}

function strip(pool: PoolStatus, rollout: RolloutStatus, view: BoardView): Line[] {
  if (view.width < COMPACT_BELOW) return [compactLine(rollout, view)]
  const { judge, endedAtMs } = rollout
  if (endedAtMs !== null) return [endLine(rollout, view), ...reasonLines(rollout, view), ...figureLines(brokenOf(judge), view)]
  return [
    headLine(pool, rollout, view),
    ...reasonLines(rollout, view),
    ...figureLines(judge?.figures ?? [], view),
    ...verdictLine(rollout, view),
  ]
}

/** ` rollout chat  qwen3-4b a31f → 9c02   canary 25 %  ███░░░░░░░  step 2 of 4, 41 s left`. What does not fit leaves, the least telling first. */
function headLine(pool: PoolStatus, rollout: RolloutStatus, { width, glyphs, nowMs }: BoardView): Line {
  const { share, kind, from, to } = rollout
  const name = span(` rollout ${rollout.pool}`, 'bold')
  const what = span(`   ${kind} ${shareText(rollout)}`.trimEnd())
  const where = span(`  ${whereText(rollout, nowMs)}`, toneOfPhase(rollout))
  const change = span(`  ${changeText(rollout, glyphs.arrow)}`)
  const shares: Line = shareText(rollout) === '' ? [] : [span('  '), ...bar(share, BAR_CELLS, glyphs)]
  const lines: readonly Line[] = [
    [name, change, ...nodeSigns(pool, rollout, glyphs), what, ...shares, where],
    [name, change, what, ...shares, where],
    [name, change, what, where],
    [name, span(`  ${from.hash.slice(0, 4)} ${glyphs.arrow} ${to.hash.slice(0, 4)}`), what, where],
    [name, what, where],
  ]
  return lines.find((line) => lineWidth(line) <= width) ?? [name, what, where]
}

/** ` rollout chat  qwen3-4b a31f → 9c02   canary  rolled back at 14:02:31`. */
function endLine(rollout: RolloutStatus, { glyphs }: BoardView): Line {
  return [
    span(` rollout ${rollout.pool}`, 'bold'),
    span(`  ${changeText(rollout, glyphs.arrow)}   ${rollout.kind}`),
    span(`  ${phaseText(rollout)} at ${clockTime(rollout.endedAtMs ?? 0)}`, toneOfPhase(rollout)),
  ]
}

/** Of one that is over only what went wrong still says something. */
function brokenOf(judge: RolloutStatus['judge']): readonly JudgeFigure[] {
  return judge?.figures.filter(({ verdict }) => verdict === 'bad') ?? []
}

/** A step that is watched says so by its time left. */
function whereText(rollout: RolloutStatus, nowMs: number): string {
  const step = stepText(rollout, nowMs)
  if (rollout.phase === 'holding' && step !== '') return step
  return step === '' ? phaseText(rollout) : `${phaseText(rollout)}, ${step}`
}

/** Old nodes, then new ones, each by the sign of its state. */
function nodeSigns({ nodes }: PoolStatus, { from, to }: RolloutStatus, glyphs: Glyphs): Span[] {
  const signs = (side: RolloutSide): Span[] =>
    side.nodes.map((id) => {
      const node: NodeStatus | undefined = nodes.find((each) => each.id === id)
      return node === undefined ? span(glyphs.states.stopped, 'dim') : span(glyphs.states[node.state] ?? '?', toneOf(node.state))
    })
  return [span('  '), ...signs(from), span(` ${glyphs.arrow} `, 'dim'), ...signs(to)]
}

/** What the judge says stands below, as long as it runs. */
function reasonLines({ reason, judge, endedAtMs }: RolloutStatus, { width }: BoardView): Line[] {
  if (reason === null || (endedAtMs === null && reason === judge?.reason)) return []
  return wrapWords(reason, width - INDENT - 1).map((text) => [span(`${' '.repeat(INDENT)}${text}`)])
}

function verdictLine({ judge, phase }: RolloutStatus, { width }: BoardView): Line[] {
  if (judge === null) return []
  const tone: Tone = judge.verdict === 'bad' ? 'bad' : judge.verdict === 'good' ? 'good' : 'dim'
  const what = phase === 'asking' ? `${verdictText(judge)}; lb rollout promote goes on, lb rollout abort takes it back` : verdictText(judge)
  return wrapWords(what, width - INDENT - 1).map((text) => [span(`${' '.repeat(INDENT)}${text}`, tone)])
}

/** Figures beside each other, as many lines as they need; without their limits where those would take too many. */
function figureLines(all: readonly JudgeFigure[], { width, glyphs }: BoardView): Line[] {
  // What nobody asked for, as JSON in a chat, was seen on neither side.
  const figures = all.filter(({ canary, baseline }) => canary !== null || baseline !== null)
  const whole = flow(
    figures.map((figure) => figureSpans(figure, glyphs, true)),
    width,
  )
  if (whole.length <= MOST_FIGURE_LINES) return whole
  return flow(
    figures.map((figure) => figureSpans(figure, glyphs, false)),
    width,
  ).slice(0, MOST_FIGURE_LINES)
}

function figureSpans(figure: JudgeFigure, glyphs: Glyphs, limits: boolean): Line {
  const isBad = figure.verdict === 'bad'
  const tone: Tone = isBad ? 'bad' : figure.verdict === 'undecided' ? 'dim' : 'plain'
  const sign = isBad ? `${glyphs.states.failed} ` : ''
  const limit = limits || isBad ? [span(` (${figure.limit})`, isBad ? 'bad' : 'dim')] : []
  return [span(`${sign}${figureName(figure)} ${figurePair(figure)}`, tone), ...limit]
}

function flow(parts: readonly Line[], width: number): Line[] {
  const lines: Line[] = []
  let line: Line = []
  for (const part of parts) {
    const longer: Line = line.length === 0 ? [span(' '.repeat(INDENT)), ...part] : [...line, span('    '), ...part]
    if (line.length > 0 && lineWidth(longer) > width) {
      lines.push(line)
      line = [span(' '.repeat(INDENT)), ...part]
    } else line = longer
  }
  return line.length === 0 ? lines : [...lines, line]
}

function compactLine(rollout: RolloutStatus, { nowMs }: BoardView): Line {
  const isOver = rollout.endedAtMs !== null
  const bad = rollout.judge?.verdict === 'bad' ? `, ${rollout.judge.reason ?? 'worse'}` : ''
  const where = isOver ? phaseText(rollout) : whereText(rollout, nowMs)
  return [
    span(` rollout ${rollout.pool}`, 'bold'),
    span(isOver ? ` ${rollout.kind}` : ` ${rollout.kind} ${shareText(rollout)}`.trimEnd()),
    span(` ${where}${bad}`, toneOfPhase(rollout)),
  ]
}

function toneOfPhase({ phase }: RolloutStatus): Tone {
  if (phase === 'promoted') return 'good'
  if (phase === 'failed') return 'bad'
  return phase === 'asking' || phase === 'rolling-back' || phase === 'rolled-back' || phase === 'aborted' || phase === 'paused'
    ? 'warn'
    : 'plain'
}
