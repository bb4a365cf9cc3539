import type { RolloutStatus } from '@plimsoll/core'
import { abortText, promoteText } from '../views/rollout-consequence.js'
import type { KeyResult } from './keymap.js'
import type { ViewState } from './view-state.js'

/** Rollouts that are not over. */
export function running({ status }: ViewState): RolloutStatus[] {
  return (status?.pools ?? []).flatMap(({ rollout }) => (rollout === undefined || rollout.endedAtMs !== null ? [] : [rollout]))
}

/** Pause and go on at once; promote and abort ask. Meant is the rollout of the selected node's pool, else the only one. */
export function rolloutKey(state: ViewState, input: 'p' | 'P' | 'A'): KeyResult {
  const rollout = meant(state)
  if (rollout === undefined) return { state: { ...state, notice: { text: noneText(state), tone: 'warn' } } }
  const { pool, phase } = rollout
  if (input === 'p')
    return { state, effect: { kind: 'rollout', pool, verb: phase === 'paused' || phase === 'asking' ? 'resume' : 'pause' } }
  const verb = input === 'P' ? 'promote' : 'abort'
  const consequence = verb === 'promote' ? promoteText(rollout) : abortText(rollout, state.status?.pools ?? [])
  return { state: { ...state, prompt: { kind: 'confirm', wanted: { kind: 'rollout', pool, verb }, consequence } } }
}

function meant(state: ViewState): RolloutStatus | undefined {
  const all = running(state)
  const pool = state.selected?.slice(0, state.selected.indexOf('/'))
  return all.find((rollout) => rollout.pool === pool) ?? (all.length === 1 ? all[0] : undefined)
}

function noneText(state: ViewState): string {
  return running(state).length === 0 ? 'no rollout runs' : 'several rollouts run: select a node of the pool that you mean'
}
