import { writeSync } from 'node:fs'
import type { LogFacts, Logger } from '@plimsoll/core'

/** JSON lines on a descriptor: one line per event, facts as fields. A full disk loses lines, never the balancer. */
export function createLineLogger(fd: number): Logger {
  const write = (level: string, event: string, facts: LogFacts = {}): void => {
    try {
      writeSync(fd, `${JSON.stringify({ at: new Date().toISOString(), level, event, ...facts })}\n`)
    } catch {
      // Nowhere left to say it.
    }
  }
  return {
    info: (event, facts) => write('info', event, facts),
    warn: (event, facts) => write('warn', event, facts),
    error: (event, facts) => write('error', event, facts),
  }
}
