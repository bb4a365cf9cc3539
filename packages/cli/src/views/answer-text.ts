import { sanitize } from './sanitize.js'
import { count, duration } from './units.js'

export interface Answer {
  readonly model: string
  readonly node: string | null
  readonly requestId: string | null
  readonly attempts: number | null
  readonly text: string
  readonly finishReason: string | null
  readonly promptTokens: number | null
  readonly completionTokens: number | null
  readonly ttftMs: number | null
  readonly totalMs: number
  /** Of the decode phase: tokens after the first by the time after the first. */
  readonly tokensPerSecond: number | null
}

/** Prints an answer as it comes: to a terminal made safe, to a pipe as the model wrote it. */
export function createAnswerPrinter(stdout: NodeJS.WriteStream): { print(text: string): void; end(): void } {
  let last = '\n'
  return {
    print(text) {
      if (text === '') return
      last = text.at(-1) ?? last
      stdout.write(stdout.isTTY ? sanitize(text, { keepNewlines: true }) : text)
    },
    end() {
      if (last !== '\n') stdout.write('\n')
    },
  }
}

/** `demo/sim-2   TTFT 12 ms   41 tok/s   33 tokens in 812 ms`. */
export function answerSummary(answer: Answer): string {
  const parts = [
    answer.node ?? 'unknown node',
    answer.ttftMs === null ? '' : `TTFT ${duration(answer.ttftMs)}`,
    answer.tokensPerSecond === null ? '' : `${count(answer.tokensPerSecond)} tok/s`,
    `${answer.completionTokens === null ? '' : `${count(answer.completionTokens)} tokens `}in ${duration(answer.totalMs)}`,
    answer.attempts !== null && answer.attempts > 1 ? `${answer.attempts} attempts` : '',
    answer.finishReason === 'length' ? 'cut at the token limit' : '',
  ]
  return sanitize(parts.filter((part) => part !== '').join('   '))
}
