import type { HotPrompt, KeptPrompt, OfferedPrompt } from './hot-prompt.js'
import type { PrefixDemand } from './prefix-demand.js'
import { sharedRungs } from './rungs.js'

const MOST_PROMPTS = 16
const MOST_BYTES = 4 * 1024 * 1024
/** A longer one is computed for longer than a new node may be kept waiting. */
const LONGEST_BYTES = 1024 * 1024
/** What is there leaves only for what is worth so many times as much: each exchange copies a body. */
const BETTER = 1.25
/** What is there goes for one that says the same with so much less. */
const SHORTER = 0.75
const WEIGHED_EVERY_MS = 1_000

interface Kept {
  prompt: HotPrompt
  /** Rungs from its beginning on that are hot: what it is kept for. */
  hot: number
}

/** A few prompts of one pool that together begin as most of its requests do. */
export class PromptShelf {
  private readonly kept: Kept[] = []
  private bytes = 0
  private weakest: { readonly kept: Kept; readonly worth: number } | undefined
  private weighedAtMs = 0

  constructor(private readonly demand: PrefixDemand) {}

  /** Keeps it if it brings what is asked often and none that is here brings. Undefined: it was not kept. */
  offer(offered: OfferedPrompt, nowMs: number): KeptPrompt | undefined {
    const { hashes, hot, bytes } = offered
    if (hot === 0 || bytes > LONGEST_BYTES) return undefined
    let shared = 0
    let shorter: Kept | undefined
    for (const kept of this.kept) {
      const here = sharedRungs(hashes, kept.prompt.hashes)
      if (here >= kept.hot) shorter = kept
      shared = Math.max(shared, here)
      if (here < hot) continue
      // It brings all of that, and is known to now.
      kept.hot = Math.max(kept.hot, hot)
      return kept.hot === hot && bytes < SHORTER * kept.prompt.body.byteLength ? this.exchange(kept, offered, nowMs) : undefined
    }
    const worth = Math.max(offered.worth ?? 0, this.demand.worth(hashes, shared, hot, nowMs))
    // It goes on where that one ends, as a conversation does.
    if (shorter !== undefined) this.remove(shorter)
    if (!this.makeRoom(bytes, worth, nowMs)) {
      if (shorter !== undefined) this.add(shorter)
      return undefined
    }
    const prompt = offered.keep()
    this.add({ prompt, hot })
    return { prompt, hot, worth }
  }

  /** Those that bring most beside those before them, first. */
  hottest(nowMs: number, suits: (prompt: HotPrompt) => boolean): HotPrompt[] {
    const chosen: Kept[] = []
    let left = this.kept.filter(({ prompt }) => suits(prompt))
    while (left.length > 0) {
      const worths = left.map((kept) => this.worthBeside(kept, chosen, nowMs))
      chosen.push(...left.splice(worths.indexOf(Math.max(...worths)), 1))
      left = left.filter((kept) => sharedWith(kept, chosen) < kept.hot)
    }
    return chosen.map(({ prompt }) => prompt)
  }

  private exchange(kept: Kept, offered: OfferedPrompt, nowMs: number): KeptPrompt {
    this.bytes += offered.bytes - kept.prompt.body.byteLength
    this.weakest = undefined
    kept.prompt = offered.keep()
    return { prompt: kept.prompt, hot: kept.hot, worth: this.demand.worth(offered.hashes, 0, kept.hot, nowMs) }
  }

  /** False, and nothing has gone, where what would have to go is worth about as much. */
  private makeRoom(bytes: number, worth: number, nowMs: number): boolean {
    const gone: Kept[] = []
    let lost = 0
    while (this.kept.length >= MOST_PROMPTS || this.bytes + bytes > MOST_BYTES) {
      const weakest = this.weigh(nowMs)
      lost += weakest?.worth ?? Infinity
      if (weakest === undefined || worth <= BETTER * lost) {
        for (const kept of gone) this.add(kept)
        return false
      }
      this.remove(weakest.kept)
      gone.push(weakest.kept)
    }
    return true
  }

  private add(kept: Kept): void {
    this.kept.push(kept)
    this.bytes += kept.prompt.body.byteLength
    this.weakest = undefined
  }

  private remove(kept: Kept): void {
    this.kept.splice(this.kept.indexOf(kept), 1)
    this.bytes -= kept.prompt.body.byteLength
    this.weakest = undefined
  }

  private weigh(nowMs: number): { readonly kept: Kept; readonly worth: number } | undefined {
    if (this.weakest !== undefined && nowMs - this.weighedAtMs < WEIGHED_EVERY_MS) return this.weakest
    this.weighedAtMs = nowMs
    this.weakest = undefined
    for (const kept of this.kept) {
      const others = this.kept.filter((other) => other !== kept)
      const worth = this.worthBeside(kept, others, nowMs)
      if (this.weakest === undefined || worth < this.weakest.worth) this.weakest = { kept, worth }
    }
    return this.weakest
  }

  private worthBeside(kept: Kept, others: readonly Kept[], nowMs: number): number {
    return this.demand.worth(kept.prompt.hashes, sharedWith(kept, others), kept.hot, nowMs)
  }
}

/** How many rungs of it some other brings, too. */
function sharedWith({ prompt: { hashes } }: Kept, others: readonly Kept[]): number {
  return Math.max(0, ...others.map(({ prompt }) => sharedRungs(hashes, prompt.hashes)))
}
