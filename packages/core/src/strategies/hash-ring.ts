import type { Candidate } from '../contracts/index.js'
import { hashOfText, mix32 } from './hash-key.js'
import type { KeyPlace } from './key-place.js'
import type { LoadBound } from './load-bound.js'

/** Points of a node of weight 1: shares then differ by some 8 %. */
const POINTS = 160
const MOST_POINTS = 4096
/** Nodes have rows below this; a point and its row share one number. */
const ROWS = 65_536

interface Member {
  readonly id: string
  readonly weight: number
}

/**
 * Consistent hashing (Karger and others, 1997): every node has points on a circle, as many as its weight says, and a key belongs to the next point
 * clockwise. The circle holds all nodes that were ever candidates; those that are none now are passed over, which gives the same order as a circle
 * without them. It is made anew only when a node comes or changes.
 */
export class HashRing implements KeyPlace {
  /** By the node's row. */
  private readonly members: (Member | undefined)[] = []
  /** Sorted; hash x ROWS + row. */
  private points = new Float64Array(0)
  private isStale = true
  /** By row: the candidate's position, and the pick for which that holds. */
  private readonly positions: number[] = []
  private readonly picks: number[] = []
  private pick = 0

  find(key: number, candidates: readonly Candidate[], bound: LoadBound): number {
    let first = -1
    const start = this.startOf(key, candidates)
    for (let step = 0; step < this.points.length; step += 1) {
      const position = this.positionAt(start + step)
      if (position < 0) continue
      if (first < 0) first = position
      const node = candidates[position]
      if (node !== undefined && !bound.isReached(node)) return position
    }
    return Math.max(0, first)
  }

  distances(key: number, candidates: readonly Candidate[]): readonly number[] {
    const distances: number[] = candidates.map(() => 1)
    const start = this.startOf(key, candidates)
    for (let step = this.points.length - 1; step >= 0; step -= 1) {
      const position = this.positionAt(start + step)
      if (position >= 0) distances[position] = step / this.points.length
    }
    return distances
  }

  /** Takes the candidates in and finds the first point at or behind the key. */
  private startOf(key: number, candidates: readonly Candidate[]): number {
    this.pick += 1
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node === undefined) continue
      const member = this.members[node.index]
      if (member === undefined || member.id !== node.id || member.weight !== node.weight) this.join(node)
      this.positions[node.index] = position
      this.picks[node.index] = this.pick
    }
    if (this.isStale) this.points = pointsOf(this.members)
    this.isStale = false
    return lowerBound(this.points, key * ROWS)
  }

  private join({ id, index, weight }: Candidate): void {
    this.members[index] = { id, weight }
    this.isStale = true
  }

  /** -1: the point belongs to a node that is no candidate. */
  private positionAt(at: number): number {
    const row = (this.points[at % this.points.length] ?? 0) % ROWS
    return this.picks[row] === this.pick ? (this.positions[row] ?? -1) : -1
  }
}

function pointsOf(members: readonly (Member | undefined)[]): Float64Array<ArrayBuffer> {
  const points: number[] = []
  for (const [row, member] of members.entries()) {
    if (member === undefined) continue
    const seed = hashOfText(member.id)
    const count = Math.min(MOST_POINTS, Math.max(1, Math.round(POINTS * member.weight)))
    for (let point = 0; point < count; point += 1) points.push(mix32(seed + Math.imul(point, 0x9e3779b1)) * ROWS + row)
  }
  return Float64Array.from(points).sort()
}

function lowerBound(points: Float64Array, value: number): number {
  let [low, high] = [0, points.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((points[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}
