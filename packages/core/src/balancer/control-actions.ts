import type { BalancerEvent } from '../control/index.js'
import type { RolloutVerb, RolloutWish } from '../rollout/index.js'
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
    topologies() {
      const { plans } = balancer.steering()
      const running = plans.topology
      return { declared: { ...running, pools: running.pools.map(({ name }) => plans.declaredPoolOf(name)) }, running }
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
    ...steeringActions(balancer),
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

/** The running topology changed by people; a pool's name is looked up first, so that a wrong one is told as such. */
function steeringActions(balancer: Balancer) {
  const desks = () => balancer.steering()
  return {
    rollouts(pool?: string) {
      if (pool === undefined) return desks().rollouts.list()
      desks().plans.poolOf(pool)
      return desks()
        .rollouts.list()
        .filter((rollout) => rollout.pool === pool)
    },
    startRollout(wish: RolloutWish) {
      desks().plans.poolOf(wish.pool)
      return desks().rollouts.start(wish)
    },
    actOnRollout(pool: string, verb: RolloutVerb) {
      desks().plans.poolOf(pool)
      return desks().rollouts.act(pool, verb)
    },
    compareRollout(pool: string) {
      desks().plans.poolOf(pool)
      return desks().rollouts.compare(pool)
    },
    revisions(pool: string) {
      desks().plans.poolOf(pool)
      return desks().rollouts.revisions(pool)
    },
    scale: (pool: string, replicas: number, group?: string) => desks().scale.scale(pool, replicas, group),
    scales: () => desks().scale.list(),
    unload: (pool: string) => desks().residency.unload(pool),
    residency: () => desks().residency.list(),
  }
}
