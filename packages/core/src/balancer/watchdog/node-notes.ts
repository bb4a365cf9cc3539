import type { LoadFacts, ProbeReport } from '../../contracts/index.js'
import type { NodeLoad } from '../../nodes/index.js'

/** How one probe went. */
export interface ProbeNote {
  /** Epoch. */
  readonly atMs: number
  readonly verdict: ProbeReport['verdict']
  readonly reason: string | null
  readonly tookMs: number
}

const KEPT_PROBES = 8
/** A probe that took nearly all of its time got no answer, whatever its plugin made of that. */
const NEARLY = 0.95

/** What was seen of one life of a node, besides tokens. */
export class NodeNotes {
  readonly probes: ProbeNote[] = []
  /** Probes in a row without any answer. */
  unanswered = 0
  /** When it last showed that it works: monotonic. */
  lastSignMs = -Infinity
  /** When lb last sent it a request of its own; monotonic. */
  canaryAtMs = -Infinity
  /** The last one of lb's own requests that got no answer. */
  canarySilentAtMs = -Infinity
  /** Those in a row. */
  canariesSilent = 0
  canaryUnderWay = false
  /** It had work at the last look. */
  wasBusy = false
  /** Since when it hangs; monotonic. */
  hungSinceMs: number | undefined
  /** When that was last found, again. */
  hungAtMs = -Infinity
  restarted = false
  private load: NodeLoad | null = null

  constructor(readonly life: number) {}

  heard(
    report: ProbeReport,
    { tookMs, timeoutMs, atMs }: { readonly tookMs: number; readonly timeoutMs: number; readonly atMs: number },
  ): void {
    const reason = report.verdict === 'ready' ? null : report.reason
    this.probes.push({ atMs, verdict: report.verdict, reason, tookMs })
    if (this.probes.length > KEPT_PROBES) this.probes.shift()
    this.unanswered = report.verdict === 'sick' && tookMs >= NEARLY * timeoutMs ? this.unanswered + 1 : 0
  }

  /** What the engine says of its load: counters that moved are a sign of life. */
  sees(load: NodeLoad | null): void {
    const before = this.load
    if (load === null || load === before) return
    this.load = load
    if (before !== null && hasMoved(before.facts, load.facts)) this.showsLife(load.atMs)
  }

  showsLife(nowMs: number): void {
    this.lastSignMs = Math.max(this.lastSignMs, nowMs)
    this.canariesSilent = 0
    this.isWell()
  }

  isWell(): void {
    this.hungSinceMs = undefined
  }
}

/** Numbers that only work can raise. What clients that leave can change (running, waiting) says nothing. */
function hasMoved(before: LoadFacts, now: LoadFacts): boolean {
  const rose = (name: 'promptTokens' | 'cachedTokens' | 'kvUsedRatio'): boolean => (now[name] ?? 0) > (before[name] ?? Infinity)
  return rose('promptTokens') || rose('cachedTokens') || rose('kvUsedRatio') || String(now.loadedModels) !== String(before.loadedModels)
}

/** True while the engine says that the model must come into memory first: that takes as long as it takes. */
export function isLoadingModel(facts: LoadFacts | undefined, models: readonly string[]): boolean {
  if (facts?.asleep === true) return true
  const loaded = facts?.loadedModels
  return loaded !== undefined && !models.some((name) => loaded.some((each) => isSameModel(each, name)))
}

/** `name` and `name:latest` are one. */
function isSameModel(loaded: string, name: string): boolean {
  return loaded === name || loaded.startsWith(`${name}:`) || name.startsWith(`${loaded}:`)
}
