import { spawn } from 'node:child_process'
import { asOrdinary, type Clock } from '../base/index.js'

export interface CommandRun {
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly timeoutMs: number
}

/** How a command ended; `said`: the end of what it wrote to its stderr. */
export interface CommandEnd {
  readonly how: 'exit' | 'signal' | 'timeout' | 'not-started'
  readonly code: number | string | null
  readonly said: string
}

const KEPT_CHARS = 2_000
/** What it wrote last may come a little after its end. */
const LAST_WORDS_MS = 50

/**
 * Runs a command of the operator's to its own end, whatever it writes and whatever it leaves running. After its time it is ended with all that it started. Never
 * throws.
 */
export function runCommand({ command: [program, ...args], env, clock, timeoutMs }: CommandRun): Promise<CommandEnd> {
  return new Promise((done) => {
    // A group of its own: what a shell started ends with it.
    const child = asOrdinary(() => spawn(program, args, { env, detached: true, stdio: ['ignore', 'ignore', 'pipe'] }))
    let said = ''
    let isLate = false
    const timer = clock.after(timeoutMs, () => {
      isLate = true
      killGroup(child.pid)
    })
    const end = (how: CommandEnd['how'], code: CommandEnd['code']): void => {
      timer.cancel()
      // Who goes on in the background may hold the pipe for ever: it is read on, and nobody waits for it.
      child.stderr.removeAllListeners('data')
      child.stderr.resume()
      ;(child.stderr as { unref?: () => void }).unref?.()
      done({ how: isLate ? 'timeout' : how, code, said: said.trim().slice(-300) })
    }
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (text: string) => (said = (said + text).slice(-KEPT_CHARS)))
    child.stderr.on('error', () => undefined)
    child.once('error', (error: NodeJS.ErrnoException) => end('not-started', error.code ?? error.message))
    child.once('exit', (code, signal) => {
      const how = signal === null ? 'exit' : 'signal'
      if (child.stderr.readableEnded) return end(how, code ?? signal)
      const last = clock.after(LAST_WORDS_MS, () => end(how, code ?? signal))
      child.stderr.once('end', () => {
        last.cancel()
        end(how, code ?? signal)
      })
    })
  })
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
}
