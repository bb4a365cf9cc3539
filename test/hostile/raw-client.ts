/** Talks to a port byte by byte: sends pieces, waits, and keeps everything that comes back. */
import { connect } from 'node:net'
import { readResponse, type Message } from './message-reader.js'

/** Bytes to send; or wait until the answer holds a text; or wait a while; or end our side. */
export type Step = Buffer | { readonly until: string } | { readonly pauseMs: number } | 'end'

export interface TalkOptions {
  /** Final responses after which it is enough. */
  readonly answers: number
  /** Wait for the peer to close, too. */
  readonly toClose: boolean
  readonly longestMs: number
  /** How long after the last expected answer further bytes are waited for. */
  readonly quietMs?: number
  /** The first request is HEAD. */
  readonly head?: boolean
}

export interface Talk {
  readonly bytes: Buffer
  /** Whole responses at the front, 1xx left out. */
  readonly responses: readonly Message[]
  /** 1xx responses. */
  readonly interim: readonly Message[]
  /** What stands behind the whole responses. */
  readonly rest: Buffer
  readonly error: string | undefined
  readonly closed: boolean
  readonly reset: boolean
  readonly tookMs: number
}

export function talk(port: number, steps: readonly Step[], options: TalkOptions): Promise<Talk> {
  return new Promise((resolve) => {
    const startedMs = performance.now()
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const parts: Buffer[] = []
    let [closed, reset, over] = [false, false, false]
    let wake: (() => void) | undefined
    let quiet: NodeJS.Timeout | undefined
    const finish = (): void => {
      if (over) return
      over = true
      clearTimeout(quiet)
      clearTimeout(limit)
      socket.destroy()
      resolve({ ...parse(Buffer.concat(parts), closed, options.head), closed, reset, tookMs: performance.now() - startedMs })
    }
    const limit = setTimeout(finish, options.longestMs)
    const look = (): void => {
      wake?.()
      if (closed) return finish()
      if (options.toClose || parse(Buffer.concat(parts), false, options.head).responses.length < options.answers) return
      clearTimeout(quiet)
      quiet = setTimeout(finish, options.quietMs ?? 15)
    }
    socket.setNoDelay(true)
    const ended = (): void => {
      closed = true
      look()
    }
    socket.on('data', (bytes: Buffer) => {
      parts.push(bytes)
      look()
    })
    socket.on('end', ended)
    socket.on('error', () => {
      reset = true
      closed = true
    })
    socket.on('close', ended)
    const waited = (text: string): Promise<void> =>
      new Promise((go) => {
        wake = () => {
          if (!closed && !over && !Buffer.concat(parts).includes(text)) return
          wake = undefined
          go()
        }
        wake()
      })
    void (async () => {
      for (const step of steps) {
        if (over) return
        if (Buffer.isBuffer(step)) socket.write(step)
        else if (step === 'end') socket.end()
        else if ('until' in step) await waited(step.until)
        else await new Promise((go) => setTimeout(go, step.pauseMs))
      }
    })()
  })
}

/** Reads all whole responses at the front. */
export function parse(bytes: Buffer, closed: boolean, head = false): Pick<Talk, 'bytes' | 'responses' | 'interim' | 'rest' | 'error'> {
  const responses: Message[] = []
  const interim: Message[] = []
  let rest = bytes
  let error: string | undefined
  while (rest.byteLength > 0) {
    const message = readResponse(rest, closed, head && responses.length === 0)
    if (message === 'more') break
    if ('error' in message) {
      error = message.error
      break
    }
    rest = rest.subarray(message.bytes)
    const early = message.startLine.startsWith('HTTP/1.1 1')
    ;(early ? interim : responses).push(message)
  }
  return { bytes, responses, interim, rest, error }
}

export const statusOf = (message: Message | undefined): number => Number(message?.startLine.slice(9, 12) ?? 0)
