import type { JudgeReport, RevisionEntry, RolloutSide, RolloutStatus } from '@plimsoll/core'
import { changeText, figureName, figureValue, glyphsFor, phaseText, shareText, stepText, verdictText } from './board/index.js'
import { fitTable, fitText, type TextLine } from './fit-text.js'
import { textTable } from './text-table.js'
import { clockTime, count, duration, percent } from './units.js'

export interface RolloutTextOptions {
  readonly nowMs: number
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Newest events that are shown; default: all. */
  readonly events?: number
  /** Width of the terminal; a pipe has none. */
  readonly columns?: number | undefined
}

/** One rollout, all that is known of it. Ends with a line break. */
export function rolloutText(rollout: RolloutStatus, { nowMs, events = Number.POSITIVE_INFINITY, columns }: RolloutTextOptions): string {
  const { id, pool, kind, from, to, reason, judge } = rollout
  const isOver = rollout.endedAtMs !== null
  const now = isOver
    ? []
    : [stepText(rollout, nowMs), shareText(rollout) === '' ? 'copies of requests' : `${shareText(rollout)} of traffic`]
  const newest = eventLines(rollout, events)
  const where = [phaseText(rollout), ...now].filter((text) => text !== '').join(', ')
  const lines: readonly TextLine[] = [
    `  ${id}   ${pool}   ${kind}   ${where}${timesText(rollout, nowMs)}`,
    ...(reason === null ? [] : [`  ${reason}`]),
    '',
    sideLine('old', from),
    sideLine('new', to),
    ...(rollout.steps.length === 0 || kind === 'shadow' ? [] : [`  steps ${stepsLine(rollout)}`]),
    ...(judge === null ? [] : ['', ...judgeLines(judge, reason)]),
    ...(newest.length === 0 ? [] : ['', ...newest]),
  ]
  return fitText(lines, columns)
}

/** Of each pool the first one, as they are told: newest first. */
export function newestOfEach(rollouts: readonly RolloutStatus[]): RolloutStatus[] {
  return rollouts.filter(({ pool }, index) => rollouts.findIndex((each) => each.pool === pool) === index)
}

/** Several rollouts, a line each. */
export function rolloutsTable(rollouts: readonly RolloutStatus[], { nowMs, env = process.env, columns }: RolloutTextOptions): string {
  const { arrow } = glyphsFor(env)
  const table = textTable(
    ['ROLLOUT', 'POOL', 'KIND', 'CHANGE', 'PHASE', 'SHARE', 'BEGAN', 'TOOK', 'REASON'],
    rollouts.map((rollout) => [
      rollout.id,
      rollout.pool,
      rollout.kind,
      changeText(rollout, arrow),
      [phaseText(rollout), rollout.endedAtMs === null ? stepText(rollout, nowMs) : ''].filter((text) => text !== '').join(', '),
      shareText(rollout),
      dayTime(rollout.startedAtMs, nowMs),
      duration((rollout.endedAtMs ?? nowMs) - rollout.startedAtMs),
      rollout.reason,
    ]),
  )
  return fitTable(table, columns)
}

/** Revisions of one pool, newest first. */
export function revisionsTable(revisions: readonly RevisionEntry[], { nowMs, columns }: RolloutTextOptions): string {
  const table = textTable(
    ['REVISION', 'HASH', 'GROUP', 'MODEL', 'CONTENT', 'SINCE', 'STATE'],
    revisions.map(({ revision, hash, group, model, content, contentUnknown, firstSeenAtMs, isRunning, outcome }) => [
      revision,
      hash,
      group,
      model,
      content === null ? (contentUnknown === undefined ? null : 'unknown') : shortContent(content),
      dayTime(firstSeenAtMs, nowMs),
      [...(isRunning ? ['running'] : []), ...(outcome === null ? ['declared'] : [phaseText({ phase: outcome })])].join(', '),
    ]),
  )
  const reasons = revisions.flatMap(({ revision, content, contentUnknown }) =>
    content === null && contentUnknown !== undefined ? [`${revision}: its content is unknown: ${contentUnknown}\n`] : [],
  )
  return [fitTable(table, columns), ...reasons].join('')
}

/** Both sides of a rollout, figure by figure. */
export function compareText(report: JudgeReport, columns?: number): string {
  return fitText(judgeLines(report), columns)
}

/** What was said above is not said again. */
function judgeLines(report: JudgeReport, said: string | null = null): TextLine[] {
  const { figures, canaryRequests, baselineRequests } = report
  const table = textTable(
    ['FIGURE', 'NEW', 'OLD', 'LIMIT', 'VERDICT', 'WORSE?'],
    figures.map((figure) => [
      figureName(figure),
      figureValue(figure.canary, figure.unit),
      figureValue(figure.baseline, figure.unit),
      figure.limit,
      figure.verdict,
      sureText(figure.confidence),
    ]),
  )
  return [
    ...(figures.length === 0
      ? []
      : table
          .trimEnd()
          .split('\n')
          .map((line) => ({ row: `  ${line}` }))),
    `  judged: ${count(canaryRequests)} of the new, ${count(baselineRequests)} of the old${verdictText(report) === said ? '' : `; ${verdictText(report)}`}`,
  ]
}

/** How sure it is that the new one is worse. */
function sureText(confidence: number | undefined): string | null {
  if (confidence === undefined || confidence < 0.005) return null
  return confidence >= 0.995 ? 'over 99 % sure' : `${percent(confidence)} sure`
}

function sideLine(label: string, { revision, hash, model, nodes }: RolloutSide): string {
  return `  ${label}   ${revision}  ${hash}  ${model}   ${nodes.length === 0 ? 'no nodes' : nodes.join(' ')}`
}

/** `5 %  [25 %]  100 %`: where it stands is in brackets. */
function stepsLine({ steps, step }: RolloutStatus): string {
  return steps.map((share, index) => (index === step - 1 ? `[${percent(share)}]` : percent(share))).join('  ')
}

function timesText({ startedAtMs, endedAtMs }: RolloutStatus, nowMs: number): string {
  const took = duration(Math.max(0, (endedAtMs ?? nowMs) - startedAtMs))
  return endedAtMs === null ? `, for ${took}` : `, after ${took}`
}

function eventLines({ events }: RolloutStatus, most: number): string[] {
  return events.slice(Math.max(0, events.length - most)).map(({ atMs, message }) => `  ${clockTime(atMs)}  ${message}`)
}

/** The day too, where it is another one. */
function dayTime(epochMs: number, nowMs: number): string {
  const day = new Date(epochMs).toLocaleDateString('sv')
  return day === new Date(nowMs).toLocaleDateString('sv') ? clockTime(epochMs) : `${day} ${clockTime(epochMs)}`
}

/** `sha256:2f1a…` is long and its beginning tells enough. */
function shortContent(content: string): string {
  return content.length <= 24 ? content : content.slice(0, 20)
}
