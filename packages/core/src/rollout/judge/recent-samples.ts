import type { JudgedRequest } from '../../contracts/index.js'
import type { JudgeSample } from './judge-sample.js'

const most = 1_000

/** The last requests of both sides, for metrics that look at them by themselves. */
export class RecentSamples {
  private readonly kept: Record<JudgeSample['side'], JudgedRequest[]> = { canary: [], baseline: [] }

  add({ side, node, startedAtMs, endedAtMs, failed, refused, ttftMs, tpotMs, completionTokens, quality }: JudgeSample): void {
    const told = { node, startedAtMs, endedAtMs, failed, refused, ttftMs, tpotMs, completionTokens }
    const samples = this.kept[side]
    samples.push(quality === undefined ? told : { ...told, quality: { ...quality } })
    if (samples.length > 2 * most) samples.splice(0, samples.length - most)
  }

  /** Oldest first; whoever gets them may do with them what it likes. */
  of(side: JudgeSample['side']): readonly JudgedRequest[] {
    return this.kept[side].slice(-most).map((sample) => ({ ...sample }))
  }
}
