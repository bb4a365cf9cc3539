import { oomKills, type ProcessEnd } from '../machines/index.js'
import type { Life } from './life.js'

/** How the process of a life ended. `crash`: by itself, or for lack of memory. `killed`: somebody ended it. `unknown`: either. */
export type HowEnded = 'crash' | 'killed' | 'unknown'

/** What the kernel sends to a program that did something wrong. */
const FAULT_SIGNALS: ReadonlySet<string> = new Set(['SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGSYS', 'SIGTRAP'])
/** 128 + SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGTERM: what a shell or an ssh in between makes of a signal. */
const KILLED_CODES: ReadonlySet<number> = new Set([129, 130, 131, 137, 143])
/** By ssh itself: the way to the machine broke. */
const LOST_LINK_CODE = 255

/** An exit with 0 tells nothing: programs that are asked to end do that, and some do it after their engine died. */
export function howEnded(life: Pick<Life, 'oomKills' | 'remote'>, { code, signal }: ProcessEnd): HowEnded {
  const wasKilled = signal === 'SIGKILL' || code === 137
  if (wasKilled && wasForMemory(life)) return 'crash'
  if (signal !== null) return FAULT_SIGNALS.has(signal) ? 'crash' : 'killed'
  if (code === null || code === 0) return 'unknown'
  if (life.remote !== undefined && code === LOST_LINK_CODE) return 'unknown'
  return KILLED_CODES.has(code) ? 'killed' : 'crash'
}

/** The kernel killed something for lack of memory while the process lived. */
export function wasForMemory({ oomKills: before }: Pick<Life, 'oomKills'>): boolean {
  return before !== undefined && (oomKills() ?? 0) > before
}
