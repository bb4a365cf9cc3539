import type { BalancerEvent } from '../control/index.js'
import type { Balancer } from './create-balancer.js'
import type { EventLog } from './event-log.js'

interface StopWish {
  readonly drainMs?: number
  readonly force?: boolean
  readonly leaveEngines?: boolean
}

/** What the control API may ask of a balancer. */
export function controlActions(balancer: Balancer, eventLog: EventLog) {
  return {
    async status(fresh: boolean) {
      if (fresh) await balancer.lookAtGpus()
      return balancer.status()
    },
    metrics: () => balancer.metrics(),
    models: () => balancer.models(),
    requests: (limit: number) => balancer.requests(limit),
    why: (id: string) => balancer.decisions().why(id),
    traced: (limit: number) => balancer.decisions().newest(limit),
    quarantine: () => balancer.quarantine().list(),
    lift: (fingerprint: string) => balancer.quarantine().lift(fingerprint),
    drain: (id: string) => balancer.drain(id),
    resume: (id: string) => balancer.resume(id),
    restart: (id: string) => balancer.restart(id),
    stop: ({ drainMs, force, leaveEngines }: StopWish) =>
      void balancer.close({
        engines: leaveEngines === true ? 'leave' : 'stop',
        ...(drainMs === undefined ? {} : { drainMs }),
        ...(force === undefined ? {} : { force }),
      }),
    recentEvents: () => eventLog.recent(),
    onEvent: (listener: (event: BalancerEvent) => void) => eventLog.on(listener),
  }
}
