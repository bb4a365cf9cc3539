import type { JudgeFigure, JudgeReport, RolloutStatus } from '@plimsoll/core'
import { count, duration, percent } from '../units.js'

/** `errors`, `TTFT`: as people say it. */
export function figureName({ name }: Pick<JudgeFigure, 'name'>): string {
  return name === 'ttft' || name === 'tpot' ? name.toUpperCase() : name
}

/** `0.4 %`, `148 ms`, `212 tok`; `-` where nothing was seen. */
export function figureValue(value: number | null, unit: JudgeFigure['unit']): string {
  if (value === null) return '-'
  if (unit === 'ms') return duration(value)
  if (unit === 'ratio') return `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`
  if (unit === 'tokens') return `${count(value)} tok`
  return unit === 'count' ? count(value) : String(Number(value.toPrecision(3)))
}

/** New beside old: `0.0 % vs 0.4 %`, `148 vs 144 ms`. */
export function figurePair({ canary, baseline, unit }: JudgeFigure): string {
  const [mine, theirs] = [figureValue(canary, unit), figureValue(baseline, unit)]
  if (baseline === null) return mine
  const [, number, itsUnit] = /^(\S+) (\S+)$/.exec(mine) ?? []
  return unit !== 'ratio' && itsUnit !== undefined && theirs.endsWith(` ${itsUnit}`) ? `${number} vs ${theirs}` : `${mine} vs ${theirs}`
}

/** What the judge says so far, in a few words. */
export function verdictText({ verdict, reason, canaryRequests }: JudgeReport): string {
  if (verdict === 'good') return 'healthy so far'
  if (verdict === 'bad') return reason ?? 'worse than the old revision'
  return reason ?? (canaryRequests === 0 ? 'nothing was seen yet' : `undecided after ${count(canaryRequests)} requests`)
}

/** A split or a shadow that lasts until somebody ends it. */
export function isStanding({ kind, phase, stepEndsAtMs }: Pick<RolloutStatus, 'kind' | 'phase' | 'stepEndsAtMs'>): boolean {
  return (kind === 'split' || kind === 'shadow') && phase === 'holding' && stepEndsAtMs === null
}

/** `25 %`; of a shadow that nobody is answered by: nothing. */
export function shareText({ kind, share }: Pick<RolloutStatus, 'kind' | 'share'>): string {
  return kind === 'shadow' && share === 0 ? '' : percent(share)
}

/** `step 2 of 4, 41 s left`; nothing where there are no steps to go. */
export function stepText({ step, steps, phase, kind, stepEndsAtMs }: RolloutStatus, nowMs: number): string {
  if (isStanding({ kind, phase, stepEndsAtMs })) return ''
  const leftMs = stepEndsAtMs === null || phase !== 'holding' ? 0 : stepEndsAtMs - nowMs
  const left = leftMs >= 1_000 ? `, ${duration(Math.floor(leftMs / 1000) * 1000)} left` : ''
  return step === 0 || steps.length === 0 ? '' : `step ${step} of ${steps.length}${left}`
}

const PHASES: Readonly<Record<string, string>> = {
  preparing: 'preparing',
  stepping: 'changing nodes',
  holding: 'watched',
  paused: 'paused',
  asking: 'waits for you',
  'rolling-back': 'rolling back',
  promoted: 'promoted',
  'rolled-back': 'rolled back',
  aborted: 'aborted',
  failed: 'failed',
}

/** For people; a phase of a later version is shown as it is. */
export function phaseText(rollout: Pick<RolloutStatus, 'phase'> & Partial<Pick<RolloutStatus, 'kind' | 'stepEndsAtMs'>>): string {
  const { phase, kind, stepEndsAtMs } = rollout
  if (kind !== undefined && stepEndsAtMs !== undefined && isStanding({ kind, phase, stepEndsAtMs }))
    return 'stands until it is promoted or aborted'
  return PHASES[phase] ?? phase
}

/** `qwen3-4b a31f → 9c02`: the model twice only where it differs. */
export function changeText({ from, to }: Pick<RolloutStatus, 'from' | 'to'>, arrow: string): string {
  const old = `${from.model} ${from.hash.slice(0, 4)}`
  return from.model === to.model ? `${old} ${arrow} ${to.hash.slice(0, 4)}` : `${old} ${arrow} ${to.model} ${to.hash.slice(0, 4)}`
}
