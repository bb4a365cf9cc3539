import { LbError } from '../errors/index.js'
import type { RolloutStatus, RolloutVerb } from '../rollout/index.js'
import type { ControlActions } from './actions.js'
import type { ControlRequest, ControlRoute } from './routes.js'
import { scaleBody, scaleOf, wishBody, wishOf } from './steering-bodies.js'

/** Routes of what changes the running topology: rollouts, the number of nodes, who rests. */
export const steeringRoutes: readonly ControlRoute[] = [
  {
    method: 'GET',
    path: '/v1/topology',
    summary: 'The resolved topology: as declared, and as it runs with what rollouts and scale have changed; secrets are references',
    handle: (actions) => ({ json: actions.topologies() }),
  },
  {
    method: 'GET',
    path: '/v1/rollouts',
    summary: 'Rollouts that run and those before them, newest first',
    handle: (actions) => ({ json: { rollouts: actions.rollouts() } }),
  },
  {
    method: 'POST',
    path: '/v1/rollouts',
    summary: 'Begin a rollout; answers once it has begun',
    body: wishBody,
    handle: async (actions, { body }) => ({ json: await actions.startRollout(wishOf(body)) }),
  },
  {
    method: 'GET',
    path: '/v1/rollouts/{pool}',
    summary: 'The rollout that runs in a pool, else its last one',
    handle: (actions, request) => ({ json: newestOf(actions, poolOf(request)) }),
  },
  {
    method: 'GET',
    path: '/v1/rollouts/{pool}/compare',
    summary: 'Both sides of the rollout that runs in a pool, figure by figure, with confidence',
    handle: (actions, request) => ({ json: actions.compareRollout(poolOf(request)) }),
  },
  verbRoute('promote', 'Take the new revision live at once: what is left of the rollout is not watched'),
  verbRoute('pause', 'Stay at this step until told otherwise; it is still judged'),
  verbRoute('resume', 'Go on after a pause; after a no of the judge it begins to judge anew'),
  verbRoute('abort', 'Take the new revision back'),
  verbRoute('undo', 'Go back to the revision before: of a running rollout what abort does, else a rollout of its own'),
  {
    method: 'GET',
    path: '/v1/pools/{pool}/revisions',
    summary: 'Revisions that a pool has had, newest first',
    handle: (actions, request) => ({ json: { revisions: actions.revisions(poolOf(request)) } }),
  },
  {
    method: 'POST',
    path: '/v1/pools/{pool}/scale',
    summary: 'So many replicas from now on; a group that follows its load does so within this floor',
    body: scaleBody,
    async handle(actions, request) {
      const { replicas, group } = scaleOf(request.body)
      return { json: await actions.scale(poolOf(request), replicas, group) }
    },
  },
  {
    method: 'GET',
    path: '/v1/scale',
    summary: 'How many nodes each scaled group has, and why',
    handle: (actions) => ({ json: { groups: actions.scales() } }),
  },
  {
    method: 'POST',
    path: '/v1/pools/{pool}/unload',
    summary: 'Put the engines of a pool to rest once their work has ended; the next request wakes them',
    handle: async (actions, request) => ({ json: await actions.unload(poolOf(request)) }),
  },
  {
    method: 'GET',
    path: '/v1/residency',
    summary: 'Which pools are in memory, where they share accelerators',
    handle: (actions) => ({ json: { pools: actions.residency() } }),
  },
]

function verbRoute(verb: RolloutVerb, summary: string): ControlRoute {
  return {
    method: 'POST',
    path: `/v1/rollouts/{pool}/${verb}`,
    summary,
    handle: async (actions, request) => ({ json: await actions.actOnRollout(poolOf(request), verb) }),
  }
}

function poolOf({ params }: ControlRequest): string {
  return params['pool'] ?? ''
}

function newestOf(actions: ControlActions, pool: string): RolloutStatus {
  const newest = actions.rollouts(pool)[0]
  if (newest !== undefined) return newest
  throw new LbError(`pool ${JSON.stringify(pool.slice(0, 100))} has had no rollout`, {
    code: 'LB_NO_ROLLOUT',
    source: 'operator',
    httpStatus: 404,
    hint: `lb rollout start ${pool.slice(0, 100)} --model NEW begins one`,
  })
}
