import type { Clock, TimerHandle } from '../base/index.js'
import type { Backend, LoadingStep, ProbeReport } from '../contracts/index.js'
import { diskTrafficOf, fileSize, tailText } from '../machines/index.js'
import type { Life } from './life.js'

export interface LoadingWatchOptions {
  readonly life: Life
  readonly backend: Backend
  readonly clock: Clock
  /** How long it may go without progress. */
  readonly readyWithinMs: number
  /** False once it has been ready, or is wanted no more: the watch ends. */
  readonly isLoading: () => boolean
  readonly onStep: (step: LoadingStep) => void
  /** Called once, with the reason. */
  readonly onLate: (reason: string) => void
}

const LOOK_EVERY_MS = 1_000
/** However busy it looks: an engine that loads this many times longer than it may stand still is given up. */
export const CEILING_FACTOR = 20
/** Less is not a download, nor the loading of weights. */
const TELLING_BYTES = 1024 * 1024
/** A server's line about a request: our own probes would look like progress. */
const ACCESS_LINE = /\b(?:GET|HEAD|POST|PUT|OPTIONS) \/|\/(?:health|ready|v1\/models)\b/

/**
 * Whether a loading engine gets anywhere: a new step in its log, new lines there, a probe that tells something new, bytes moved from or to disks. A load
 * that stands still for too long is late; so is one that goes on for ever.
 */
export class LoadingWatch {
  private timer: TimerHandle | undefined
  private readonly startedAtMs: number
  private progressAtMs: number
  private logBytes: number
  private diskBytes = 0
  private readonly told = new Set<string>()
  private lastSick: string | undefined
  private over = false

  constructor(private readonly options: LoadingWatchOptions) {
    this.startedAtMs = this.progressAtMs = options.clock.nowMs()
    this.logBytes = options.life.record.logFrom
    this.again()
  }

  /** What a probe said. */
  heard(report: ProbeReport): void {
    this.lastSick = report.verdict === 'sick' && !report.reason.startsWith('does not answer') ? report.reason : undefined
    this.tell(report.verdict === 'ready' ? 'ready' : `${report.reason} ${report.verdict === 'loading' ? (report.progress ?? '') : ''}`)
  }

  stop(): void {
    this.over = true
    this.timer?.cancel()
  }

  private again(): void {
    const waitMs = Math.max(20, Math.min(LOOK_EVERY_MS, this.options.readyWithinMs / 8))
    this.timer = this.options.clock.after(waitMs, () => void this.look())
  }

  private async look(): Promise<void> {
    const { readyWithinMs, clock, isLoading } = this.options
    if (this.over || !isLoading()) return this.stop()
    this.readLog()
    const stillMs = (): number => clock.nowMs() - this.progressAtMs
    // Looking at every process costs more than looking at one file.
    if (stillMs() > readyWithinMs / 4) await this.readDisks()
    if (this.over) return
    if (stillMs() >= readyWithinMs) return this.late(`no progress for ${readyWithinMs / 1000} s`)
    const ceilingMs = readyWithinMs * CEILING_FACTOR
    if (clock.nowMs() - this.startedAtMs >= ceilingMs) return this.late(`not ready after ${Math.round(ceilingMs / 1000)} s`)
    this.again()
  }

  private readLog(): void {
    const { life, backend, onStep } = this.options
    const size = fileSize(life.logPath)
    if (size === this.logBytes) return
    const fresh = tailText(life.logPath, this.logBytes)
    this.logBytes = size
    if (fresh.split(/[\r\n]+/).some((line) => line.trim() !== '' && !ACCESS_LINE.test(line))) this.progressed()
    const step = stepOf(backend, tailText(life.logPath, life.record.logFrom))
    if (step === undefined) return
    this.tell(`step ${step.step} ${step.progress ?? ''}`)
    onStep(step)
  }

  private async readDisks(): Promise<void> {
    const bytes = await diskTrafficOf(this.options.life.process.identity.pid)
    if (bytes - this.diskBytes >= TELLING_BYTES) this.progressed()
    this.diskBytes = bytes
  }

  /** Only what was never said before is progress: two reasons that take turns are none. */
  private tell(news: string): void {
    if (this.told.has(news)) return
    this.told.add(news)
    this.progressed()
  }

  private progressed(): void {
    this.progressAtMs = this.options.clock.nowMs()
  }

  private late(reason: string): void {
    this.stop()
    // A plugin that fails in every probe would else look like an engine that is slow.
    this.options.onLate(this.lastSick === undefined ? reason : `${reason}; its probe says: ${this.lastSick}`)
  }
}

/** A plugin that throws here, or answers nonsense, tells nothing. */
function stepOf(backend: Backend, logTail: string): LoadingStep | undefined {
  try {
    const found = backend.loadingStep?.(logTail)
    if (typeof found?.step !== 'string') return undefined
    const { step, progress } = found
    return typeof progress === 'number' && progress >= 0 && progress <= 1 ? { step, progress } : { step }
  } catch {
    return undefined
  }
}
