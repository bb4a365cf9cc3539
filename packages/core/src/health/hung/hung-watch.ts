import { allowedSilence, type AllowedSilence } from './allowed-silence.js'
import type { WorkTimes } from './work-times.js'

/** What is known of one node at one moment. Times are monotonic. */
export interface NodeSigns {
  readonly id: string
  /** Names its equals: replicas that were launched alike. */
  readonly kin: string
  /** Counts its lives. */
  readonly life: number
  readonly inFlight: number
  readonly waiting: number
  /** The longest prompt that waits there, in tokens. */
  readonly largestPromptTokens: number
  /** The longest answer in flight that says nothing before its end. */
  readonly silentTokens: number
  /** When something of an answer last came. */
  readonly lastTokenMs: number
  /** The same, or when it got its first work after none. */
  readonly lastProgressMs: number
  /** When it last showed life in another way: counters of the engine moved, it answered a request of lb's own. */
  readonly lastSignMs: number
  /** Probes in a row that got no answer at all. */
  readonly unanswered: number
  /** What its process does, where this machine can tell. */
  readonly process: 'stopped' | 'idle' | 'works' | undefined
  /** Nobody but this balancer gives it work: lb launched it, or its counters say so. */
  readonly isOurs: boolean
  /** It came back from having been taken out and has not answered since. */
  readonly onTrial: boolean
  /** It says that it fetches a model into memory, or sleeps. */
  readonly isLoading: boolean
}

export interface HungLimits {
  /** Silence that is never held against a node. */
  readonly afterMs: number
}

export type HungVerdict =
  | { readonly kind: 'well' }
  /** `doubted`: half of what it is allowed is over. */
  | { readonly kind: 'doubted' | 'hung'; readonly silentMs: number; readonly allowed: AllowedSilence; readonly why: string }

/** A moment of ours that takes longer (a busy or suspended machine) counts as so long: what came meanwhile may lie unread. */
const LONGEST_LOOK_MS = 600
/** A stopped process computes nothing; somebody may be looking at it for a moment. */
const STOPPED_MS = 2_000
const SURVIVED_MS = 600_000
const SURVIVED_KEPT = 8
const WELL: HungVerdict = { kind: 'well' }

/**
 * Tells a node that hangs from one that works for long. Doubt grows with each moment of silence over work by the share of the silence that this work
 * would explain, and ends with the first token; so it is fair to work that comes and goes, and to clients that leave.
 */
export class HungWatch {
  private readonly nodes = new Map<string, NodeDoubt>()

  constructor(private readonly times: Pick<WorkTimes, 'promptMs' | 'answerMs'>) {}

  look(signs: NodeSigns, limits: HungLimits, nowMs: number): HungVerdict {
    let doubt = this.nodes.get(signs.id)
    if (doubt === undefined || doubt.life !== signs.life) this.nodes.set(signs.id, (doubt = new NodeDoubt(signs.life, nowMs)))
    return doubt.look(signs, { limits, times: this.times, nowMs })
  }

  /** Begins anew, as after it was taken out. */
  clear(id: string): void {
    this.nodes.get(id)?.clear()
  }

  retain(present: ReadonlySet<string>): void {
    for (const id of this.nodes.keys()) if (!present.has(id)) this.nodes.delete(id)
  }
}

interface Scene {
  readonly limits: HungLimits
  readonly times: Pick<WorkTimes, 'promptMs' | 'answerMs'>
  readonly nowMs: number
}

class NodeDoubt {
  private share = 0
  private lookedMs: number
  private silentSinceMs: number | undefined
  private progressMs: number
  /** What honest work would explain of the silence that goes on, without generosity. */
  private explainedMs = 0
  /** Silences that nothing explained, and that ended with a token all the same. */
  private survived: { readonly atMs: number; readonly ms: number }[] = []

  constructor(
    readonly life: number,
    private readonly bornMs: number,
  ) {
    this.lookedMs = bornMs
    this.progressMs = -Infinity
  }

  clear(): void {
    this.share = 0
    this.silentSinceMs = undefined
  }

  look(signs: NodeSigns, scene: Scene): HungVerdict {
    const { nowMs } = scene
    const passedMs = Math.min(LONGEST_LOOK_MS, Math.max(0, nowMs - this.lookedMs))
    this.lookedMs = nowMs
    this.hear(signs, nowMs)
    if (signs.inFlight <= 0) return this.rest()
    this.silentSinceMs ??= Math.max(signs.lastProgressMs, this.progressMs)
    if (signs.isLoading) return WELL
    const silentMs = nowMs - this.silentSinceMs
    const allowed = allowedSilence(signs, { ...scene, hasSpoken: signs.lastTokenMs >= this.bornMs, survivedMs: this.survivedMs(nowMs) })
    this.explainedMs = Math.max(this.explainedMs, allowed.explainedMs)
    this.share += passedMs / allowed.ms
    return verdictOf(signs, { silentMs, allowed, share: this.share, afterMs: scene.limits.afterMs })
  }

  private hear(signs: NodeSigns, nowMs: number): void {
    const progressMs = Math.min(nowMs, Math.max(signs.lastTokenMs, signs.lastSignMs))
    if (progressMs <= this.progressMs) return
    const { silentSinceMs } = this
    if (silentSinceMs !== undefined && signs.lastTokenMs > this.progressMs)
      this.survive(progressMs - silentSinceMs - this.explainedMs, nowMs)
    this.progressMs = progressMs
    this.share = 0
    this.explainedMs = 0
    if (silentSinceMs !== undefined) this.silentSinceMs = progressMs
  }

  /** Nothing is in flight: whatever was there has ended. Doubt that no token ended fades, it does not end. */
  private rest(): HungVerdict {
    if (this.silentSinceMs !== undefined) this.share /= 2
    this.silentSinceMs = undefined
    this.explainedMs = 0
    return WELL
  }

  private survive(ms: number, atMs: number): void {
    if (ms < 1_000) return
    this.survived = [...this.survived, { atMs, ms }].slice(-SURVIVED_KEPT)
  }

  /** Once may be chance; what was survived twice is how this node is. */
  private survivedMs(nowMs: number): number {
    const [, second] = this.survived
      .filter(({ atMs }) => nowMs - atMs < SURVIVED_MS)
      .map(({ ms }) => ms)
      .sort((a, b) => b - a)
    return second ?? 0
  }
}

interface Judged {
  readonly silentMs: number
  readonly allowed: AllowedSilence
  readonly share: number
  readonly afterMs: number
}

function verdictOf(signs: NodeSigns, { silentMs, allowed, share, afterMs }: Judged): HungVerdict {
  const told = { silentMs, allowed }
  const isStopped = signs.process === 'stopped' && silentMs >= Math.min(afterMs, STOPPED_MS)
  if (isStopped) return { ...told, kind: 'hung', why: `its process is stopped, with ${requestsOf(signs)} in flight` }
  if (share >= 1 && silentMs >= afterMs / 2)
    return { ...told, kind: 'hung', why: `no token for ${inSeconds(silentMs)} with ${requestsOf(signs)} in flight${probesOf(signs)}` }
  if (share >= 0.5) return { ...told, kind: 'doubted', why: `no token for ${inSeconds(silentMs)}` }
  return WELL
}

function requestsOf({ inFlight }: NodeSigns): string {
  return inFlight === 1 ? '1 request' : `${inFlight} requests`
}

function probesOf({ unanswered }: NodeSigns): string {
  return unanswered === 0 ? ', although its probes are good' : ', and no answer to its probes'
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
