import type { ServerResponse } from 'node:http'
import type { AnswerShape, AnswerUsage, FinishedText, PieceIds } from './answer-shape.js'
import type { Fault } from './fault.js'

/** Puts answers on a socket, and breaks them where a fault says so. */
export interface AnswerWriter {
  start(index: number, prompt: readonly number[] | undefined): void
  piece(index: number, text: string, ids: PieceIds | undefined): void
  finish(index: number, finished: FinishedText): void
  /** All answers are finished. */
  end(texts: readonly FinishedText[], usage: AnswerUsage): void
  /** Sends what the current turn gathered. */
  flush(): void
}

interface WriterOptions {
  readonly response: ServerResponse
  readonly shape: AnswerShape
  readonly fault: Fault | undefined
}

const notJson = '{"choices":[{"delta":\u0001<<garbage'

/** Server-sent events; several events of one turn go out in one write. */
export function streamWriter({
  response,
  shape,
  fault,
  includeUsage,
  halfAfter,
}: WriterOptions & { includeUsage: boolean; halfAfter: number }): AnswerWriter {
  let gathered = ''
  let pieces = 0
  let closed = false
  const event = (data: string) => void (gathered += `data: ${fault?.kind === 'garbage' ? notJson : data}\n\n`)
  return {
    start(index, prompt) {
      if (!response.headersSent)
        response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
      const data = shape.start(index, prompt)
      if (data !== undefined) event(data)
    },
    piece(index, text, ids) {
      if (closed) return
      event(shape.piece(index, text, ids))
      pieces++
      if (fault?.kind !== 'half-response' || pieces < halfAfter) return
      closed = true
      breakOff(response, gathered.slice(0, -12))
    },
    finish: (index, { finishReason }) => event(shape.finish(index, finishReason)),
    end(_texts, usage) {
      if (closed) return
      closed = true
      if (includeUsage) event(shape.usage(usage))
      response.end(`${gathered}data: ${fault?.kind === 'garbage' ? notJson : '[DONE]'}\n\n`)
    },
    flush() {
      if (gathered !== '' && !closed) response.write(gathered)
      gathered = ''
    },
  }
}

const nothing = (): void => {}

/** One JSON body at the end. */
export function bodyWriter({ response, shape, fault }: WriterOptions): AnswerWriter {
  return {
    start: nothing,
    piece: nothing,
    finish: nothing,
    flush: nothing,
    end(texts, usage) {
      const body = Buffer.from(fault?.kind === 'garbage' ? notJson : shape.whole(texts, usage))
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
      if (fault?.kind === 'half-response') breakOff(response, body.subarray(0, body.length >> 1))
      else response.end(body)
    },
  }
}

/** The bytes go out before the socket dies: half an answer, not none. */
function breakOff(response: ServerResponse, bytes: string | Uint8Array): void {
  response.write(bytes, () => response.destroy())
}
