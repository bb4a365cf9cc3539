import type { Candidate } from '../contracts/index.js'
import { hashOfText, mix32 } from './hash-key.js'
import type { KeyPlace } from './key-place.js'
import type { LoadBound } from './load-bound.js'
import { NodeTable } from './node-table.js'

/**
 * Highest random weight (Thaler and Ravishankar, 1996), with weights as in "Weighted Distributed Hash Tables" (Schindelhauer and Schomaker, 2005): each
 * node draws -ln(u) / weight, u from a hash of key and node; the lowest draw wins. Needs no table; looks at every node.
 */
export class Rendezvous implements KeyPlace {
  private readonly hashes = new NodeTable((node) => hashOfText(node.id))

  find(key: number, candidates: readonly Candidate[], bound: LoadBound): number {
    let [best, bestDraw, first, firstDraw] = [-1, Infinity, 0, Infinity]
    for (let position = 0; position < candidates.length; position += 1) {
      const node = candidates[position]
      if (node === undefined) continue
      const draw = this.draw(key, node)
      if (draw < firstDraw) [first, firstDraw] = [position, draw]
      if (draw < bestDraw && !bound.isReached(node)) [best, bestDraw] = [position, draw]
    }
    return best < 0 ? first : best
  }

  distances(key: number, candidates: readonly Candidate[]): readonly number[] {
    return candidates.map((node) => this.draw(key, node))
  }

  private draw(key: number, node: Candidate): number {
    const chance = (mix32(key ^ this.hashes.of(node)) + 0.5) / 0x1_0000_0000
    return -Math.log(chance) / node.weight
  }
}
