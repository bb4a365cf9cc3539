import { shortHash } from './models-text.js'
import type { ModelProgress, PullReport } from './pull-report.js'
import { sanitize } from './sanitize.js'
import { bytes, duration, percent } from './units.js'

export interface PullTalk {
  /** Takes each bit of progress; shows what is worth it. */
  show(progress: ModelProgress): void
  /** Clears what is drawn. */
  end(): void
}

export interface TalkOptions {
  readonly write: (text: string) => void
  /** A line that can be drawn over. */
  readonly isTerminal: boolean
  readonly columns: number
  readonly nowMs: () => number
}

const BAR_CELLS = 20
const DRAW_EVERY_MS = 100
const LINE_EVERY_RATIO = 0.1

/** A bar that moves on a terminal; elsewhere a line for each step and each tenth. */
export function pullTalk(options: TalkOptions): PullTalk {
  return options.isTerminal ? barTalk(options) : lineTalk(options)
}

function barTalk({ write, columns, nowMs }: TalkOptions): PullTalk {
  const speed = createSpeed(nowMs)
  let drawnAtMs = -Infinity
  return {
    show(progress) {
      speed.add(progress)
      const isWhole = progress.doneBytes !== undefined && progress.doneBytes === progress.totalBytes
      if (nowMs() - drawnAtMs < DRAW_EVERY_MS && !isWhole) return
      drawnAtMs = nowMs()
      write(`\r${sanitize(barLine(progress, speed.bytesPerSecond())).slice(0, Math.max(20, columns - 1))}\u001b[K`)
    },
    end: () => write('\r\u001b[K'),
  }
}

function barLine({ model, step, doneBytes, totalBytes }: ModelProgress, bytesPerSecond: number | undefined): string {
  if (doneBytes === undefined) return `${model}  ${step}`
  if (totalBytes === undefined || totalBytes === 0) return `${model}  ${bytes(doneBytes)}  ${step}`
  const ratio = Math.min(1, doneBytes / totalBytes)
  const full = Math.round(ratio * BAR_CELLS)
  const left =
    bytesPerSecond === undefined ? '' : `  ${bytes(bytesPerSecond)}/s, ${duration(((totalBytes - doneBytes) / bytesPerSecond) * 1000)} left`
  return `${model}  ${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)}  ${percent(ratio)} of ${bytes(totalBytes)}${left}`
}

function lineTalk({ write }: TalkOptions): PullTalk {
  let said = ''
  let model = ''
  let ratioSaid = -1
  return {
    show(progress) {
      if (progress.model !== model) [model, ratioSaid, said] = [progress.model, -1, '']
      const { doneBytes, totalBytes } = progress
      const ratio =
        doneBytes === undefined || totalBytes === undefined || totalBytes === 0 ? undefined : Math.min(1, doneBytes / totalBytes)
      if (ratio === undefined) {
        if (progress.step === said) return
        said = progress.step
        return write(`${sanitize(`${model}: ${said}`)}\n`)
      }
      if (ratio < ratioSaid + LINE_EVERY_RATIO && !(ratio === 1 && ratioSaid < 1)) return
      ratioSaid = ratio
      write(`${sanitize(`${model}: ${percent(ratio)} of ${bytes(totalBytes ?? 0)}`)}\n`)
    },
    end: () => undefined,
  }
}

/** Over the last seconds: what was there before this run is not speed. */
function createSpeed(nowMs: () => number): { add(progress: ModelProgress): void; bytesPerSecond(): number | undefined } {
  const WINDOW_MS = 5_000
  let points: { readonly atMs: number; readonly doneBytes: number; readonly model: string }[] = []
  return {
    add({ model, doneBytes }) {
      if (doneBytes === undefined) return
      const atMs = nowMs()
      points = points.filter((point) => point.model === model && atMs - point.atMs <= WINDOW_MS)
      points.push({ atMs, doneBytes, model })
    },
    bytesPerSecond() {
      const [first, last] = [points[0], points.at(-1)]
      if (first === undefined || last === undefined || last.atMs - first.atMs < 500) return undefined
      const perSecond = ((last.doneBytes - first.doneBytes) / (last.atMs - first.atMs)) * 1000
      return perSecond > 0 ? perSecond : undefined
    },
  }
}

/** What is there now, what failed, what was left alone. Ends with a line break. */
export function pullText({ pulled, failed, skipped }: PullReport): string {
  const forWhom = (nodes: readonly string[]): string => (nodes.length === 0 ? '' : `   for ${nodes.join(', ')}`)
  const lines = [
    ...pulled.map(({ model, nodes, contentHash, folder, bytes: size, fetchedBytes }) => {
      const how = size === undefined ? '' : `   ${bytes(size)}${fetchedBytes === 0 ? ', was there' : ''}`
      const hash = contentHash === null ? '' : `   content ${shortHash(contentHash)}`
      return `✓ ${model}${how}${hash}${forWhom(nodes)}${folder === undefined ? '' : `\n  ${folder}`}`
    }),
    ...failed.map(({ model, nodes, message, hint }) => `! ${model}${forWhom(nodes)}: ${message}${hint === null ? '' : `\n  try: ${hint}`}`),
    ...skipped.map(({ node, why }) => `- ${node}   ${why}`),
  ]
  return lines.length === 0 ? 'Nothing to pull.\n' : `${lines.map((line) => sanitize(line, { keepNewlines: true })).join('\n')}\n`
}
