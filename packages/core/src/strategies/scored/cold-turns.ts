import type { Candidate, RoutingEvent } from '../../contracts/index.js'
import { CostRow } from '../cost-row.js'
import { NodeTable } from '../node-table.js'
import type { ScoredScene, Scorer } from './scorer.js'

/**
 * Spreads prompts that no cache holds, which are the ones that push other content out: the candidate that has gone longest without one scores 1, the last
 * that got one 0, the others in even steps between. Warm prompts score one half everywhere.
 */
export class ColdTurns implements Scorer {
  /** Number of the last cold prompt of each node; 0 = none yet. */
  private readonly lastTurn = new NodeTable(() => ({ turn: 0 }))
  private readonly ordered = new CostRow()
  private turn = 0
  /** The last prompt that was looked at. */
  private request = ''
  private wasCold = false

  score({ facts, candidates, match }: ScoredScene, scores: Float64Array): void {
    const count = candidates.length
    this.request = facts.id
    this.wasCold = isCold(match.presentTokens, count)
    if (!this.wasCold || count === 1) return void scores.fill(0.5, 0, count)
    const ordered = this.ordered.of(count)
    for (let position = 0; position < count; position += 1) ordered[position] = scores[position] = this.turnOf(candidates[position])
    const turns = ordered.subarray(0, count).sort()
    for (let position = 0; position < count; position += 1) scores[position] = 1 - firstPlaceOf(scores[position] ?? 0, turns) / (count - 1)
  }

  observe(event: RoutingEvent): void {
    if (event.kind === 'node-gone') return this.lastTurn.forget(event)
    if (event.kind !== 'dispatched' || !this.wasCold || event.facts.id !== this.request) return
    const known = this.lastTurn.known(event.node)
    if (known !== undefined) known.turn = this.turn += 1
  }

  private turnOf(node: Candidate | undefined): number {
    return node === undefined ? 0 : this.lastTurn.of(node).turn
  }
}

function isCold(presentTokens: Float64Array, count: number): boolean {
  for (let position = 0; position < count; position += 1) if ((presentTokens[position] ?? 0) > 0) return false
  return true
}

function firstPlaceOf(turn: number, turns: Float64Array): number {
  let [low, high] = [0, turns.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((turns[middle] ?? 0) < turn) low = middle + 1
    else high = middle
  }
  return low
}
