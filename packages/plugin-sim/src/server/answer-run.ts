import { chainBlocks, type SequenceView } from '@plimsoll/engine-model'
import type { Answer } from './answer.js'
import type { PieceIds } from './answer-shape.js'
import type { AnswerWriter } from './answer-writer.js'
import type { Prompt } from './prompt.js'
import { Refusal } from './refusal.js'
import type { SimEngine } from './sim-engine.js'

export interface RunPart {
  readonly prompt: Prompt
  readonly answer: Answer
  /** The ids of the prompt, where ids are to be told. */
  readonly promptIds?: readonly number[] | undefined
}

interface Track extends RunPart {
  readonly id: string
  /** How much later than they were computed its tokens are told; unknown before the first. */
  lateMs: number | undefined
  sent: number
  lastMs: number
  cachedTokens: number
}

/** A sequence as it stood at the end of one turn. */
type Told = Pick<SequenceView, 'producedTokens' | 'cachedTokens' | 'promptTokens' | 'state'>

/** One HTTP request in the engine: a sequence for each prompt, and the writer that hears of their tokens. */
export class AnswerRun {
  private readonly tracks: Track[] = []
  private readonly startedMs = performance.now()
  private readonly late = new Set<NodeJS.Timeout>()
  private open = 0

  constructor(
    private readonly engine: SimEngine,
    private readonly writer: AnswerWriter,
  ) {}

  /** Refuses with 400 what the KV cache could never hold; nothing is left in the engine then. */
  start(parts: readonly RunPart[]): void {
    try {
      for (const part of parts) this.submit(part)
    } catch (error) {
      this.withdraw()
      throw new Refusal(400, error instanceof Error ? error.message : String(error))
    }
  }

  /** The client is gone: slots and queue places are free when this returns. */
  abort(): void {
    for (const timer of this.late) clearTimeout(timer)
    const left = this.withdraw()
    this.engine.metrics.finished.abort += left
  }

  private submit(part: RunPart): void {
    const { prompt, answer } = part
    const track: Track = { ...part, id: this.engine.nextId(), lateMs: undefined, sent: 0, lastMs: this.startedMs, cachedTokens: 0 }
    const index = this.tracks.push(track) - 1
    const blockHashes = chainBlocks([...prompt.tokens, ...answer.ids], this.engine.model.blockTokens)
    const request = { id: track.id, promptTokens: prompt.tokens.length, outputTokens: answer.tokenCount, blockHashes }
    this.engine.driver.submit(request, { onProgress: (sequence) => this.hear(index, track, sequence) })
    this.open++
  }

  private withdraw(): number {
    return this.tracks.filter(({ id }) => this.engine.driver.cancel(id)).length
  }

  private hear(index: number, track: Track, sequence: SequenceView): void {
    track.lateMs ??= this.latenessMs()
    if (track.lateMs === 0) return this.progress(index, track, sequence)
    const { producedTokens, cachedTokens, promptTokens, state } = sequence
    const timer = setTimeout(() => {
      this.late.delete(timer)
      this.progress(index, track, { producedTokens, cachedTokens, promptTokens, state })
    }, track.lateMs)
    this.late.add(timer)
  }

  /** Of the fault `ttft:N`, at the first token: all come so much later, each as long after the one before as it was. */
  private latenessMs(): number {
    const fault = this.engine.faults.current
    return fault?.kind === 'ttft' ? Math.max(0, (performance.now() - this.startedMs) * (fault.factor - 1)) : 0
  }

  private progress(index: number, track: Track, sequence: Told): void {
    this.count(track, sequence)
    if (track.sent === 0) {
      track.cachedTokens = sequence.cachedTokens
      this.writer.start(index, track.promptIds)
    }
    const { text, ends, finishReason } = track.answer
    for (; track.sent < sequence.producedTokens; track.sent++) {
      const piece = text.slice(ends[track.sent - 1] ?? 0, ends[track.sent])
      if (piece !== '') this.writer.piece(index, piece, idsOf(track))
    }
    if (sequence.state === 'finished') this.finish(index, { text, finishReason })
    this.writer.flush()
  }

  private count(track: Track, sequence: Told): void {
    const { metrics } = this.engine
    const nowMs = performance.now()
    const fresh = sequence.producedTokens - track.sent
    if (track.sent === 0) {
      metrics.promptTokens += sequence.promptTokens
      metrics.ttftSeconds.observe((nowMs - this.startedMs) / 1000)
    } else metrics.interTokenSeconds.observe((nowMs - track.lastMs) / 1000 / fresh, fresh)
    metrics.generationTokens += fresh
    track.lastMs = nowMs
  }

  private finish(index: number, finished: { text: string; finishReason: 'stop' | 'length' }): void {
    this.engine.metrics.finished[finished.finishReason]++
    this.engine.metrics.e2eSeconds.observe((performance.now() - this.startedMs) / 1000)
    this.writer.finish(index, finished)
    this.open--
    if (this.open > 0) return
    const total = (count: (track: Track) => number) => this.tracks.reduce((sum, track) => sum + count(track), 0)
    this.writer.end(
      this.tracks.map(({ answer }) => answer),
      {
        promptTokens: total(({ prompt }) => prompt.tokens.length),
        completionTokens: total(({ answer }) => answer.tokenCount),
        cachedTokens: total(({ cachedTokens }) => cachedTokens),
      },
    )
  }
}

/** Of the next piece; the ids of the prompt come with the first one. */
function idsOf({ promptIds, answer, sent }: Track): PieceIds | undefined {
  if (promptIds === undefined) return undefined
  return { tokens: answer.ids.slice(sent, sent + 1), prompt: sent === 0 ? promptIds : undefined }
}
