import type { Clock, TimerHandle } from '../base/index.js'
import { isSameProcess, type ProcessIdentity } from './identity.js'
import type { ProcessEnd } from './spawn-engine.js'

/** How often somebody else's child is looked at. */
const LOOK_EVERY_MS = 500

/** A process that is not our child: it has no exit code for us, so its pid and start time are looked at now and then. */
export interface WatchedProcess {
  readonly identity: ProcessIdentity
  readonly exited: Promise<ProcessEnd>
  /** Looks at once: something has raised a doubt. */
  look(): void
  /** Looks no more; `exited` stays open. */
  release(): void
}

export function watchProcess(identity: ProcessIdentity, clock: Clock): WatchedProcess {
  const { promise: exited, resolve } = Promise.withResolvers<ProcessEnd>()
  let timer: TimerHandle | undefined
  let over = false
  let looking = false
  const look = (): void => {
    if (over || looking) return
    looking = true
    timer?.cancel()
    void isSameProcess(identity).then((lives) => {
      looking = false
      if (over) return
      if (lives) return (timer = clock.after(LOOK_EVERY_MS, look))
      over = true
      return resolve({ code: null, signal: null })
    })
  }
  timer = clock.after(LOOK_EVERY_MS, look)
  return {
    identity,
    exited,
    look,
    release() {
      over = true
      timer?.cancel()
    },
  }
}
