import { writeFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

const ORDINARY = 0
/** -10 gained no more: docs/decisions/2026-11-22-goes-ahead.md. */
const AHEAD = -5

let isAhead = false

/** What is told of Linux where sessions are weighed before what runs in them (`kernel.sched_autogroup_enabled`): there, niceness counts within a session only. */
const OWN_SESSION = '/proc/self/autogroup'

/**
 * Lets this thread, and those that it starts from now on, go before other programs of this machine when both want a core: a balancer needs little of one, but everybody
 * waits for it. Does nothing where the system does not permit it, or somebody chose another niceness for this process (`nice -n 1 lb up`).
 * `session`: its session, too. Only for who has one of its own: whatever else is in it goes ahead as well.
 */
export function goAhead({ session = false }: { readonly session?: boolean } = {}): void {
  isAhead = false
  try {
    if (getPriority() !== ORDINARY) return
    setPriority(AHEAD)
    isAhead = true
    if (session) writeFileSync(OWN_SESSION, String(AHEAD))
  } catch {
    // Without the right to (CAP_SYS_NICE, or a limit such as systemd's LimitNICE), or where sessions have no weight.
  }
}

/** Starts a program that does not go ahead with us: it inherits what its parent has in that moment. Was the right to go ahead lost meanwhile, what was started stays started. */
export function asOrdinary<Started>(start: () => Started): Started {
  if (!isAhead) return start()
  setPriority(ORDINARY)
  try {
    return start()
  } finally {
    goAhead()
  }
}
