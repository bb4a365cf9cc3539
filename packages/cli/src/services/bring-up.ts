import { LbError, isSameProcess, type Topology } from '@plimsoll/core'
import type { LeftoverPolicy } from '../keeper/boot.js'
import type { LaunchedBalancer } from '../keeper/launch.js'
import { curlText } from '../views/curl-text.js'
import { createControlClient, type ControlClient } from './control-client.js'
import { explainSilence, leftoverNotice } from './explain-silence.js'
import { targetOf, type Target } from './find-target.js'
import { holderOf } from './holder-of.js'
import { prepareTopology, type PrepareOptions } from './prepare-topology.js'

export interface BringUpOptions {
  readonly prepare: PrepareOptions
  /** Take the next free port when the declared one is taken. */
  readonly movePort: boolean
  readonly leftovers: LeftoverPolicy
  /** Told what an earlier life left. */
  readonly onNotice: (text: string) => void
}

/** A balancer whose gateway listens. Nodes may still be loading. */
export interface UpBalancer {
  readonly topology: Topology
  readonly target: Target
  readonly launched: LaunchedBalancer
  readonly client: ControlClient
  /** A request to copy. */
  readonly curl: string
}

/** Checks the topology, says what a killed balancer left, and launches. Throws TopologyErrors, LB_ALREADY_RUNNING, LB_PORT_TAKEN. */
export async function bringUp(options: BringUpOptions): Promise<UpBalancer> {
  const { topology, modules: engineModules, strategyModules, metricModules } = await prepareTopology(options.prepare)
  const target = targetOf(topology.name)
  await refuseSecond(target)
  const notice = await leftoverNotice(target, options.leftovers)
  if (notice !== undefined) options.onNotice(notice)
  const { launchBalancer } = await import('../keeper/launch.js')
  const launched = await launchBalancer({
    topology,
    engineModules,
    strategyModules,
    metricModules,
    movePort: options.movePort,
    leftovers: options.leftovers,
    holderOf,
  })
  const onSilence = async (): Promise<LbError> => explainSilence(targetOf(topology.name))
  return {
    topology,
    target,
    launched,
    client: createControlClient({ socketPath: target.paths.socketPath, onSilence }),
    curl: curlText(launched.urls[0] ?? '', {
      model: topology.pools[0]?.models[0] ?? '',
      keyVariable: keyVariableOf(topology),
      certFile: topology.gateway.tls?.certFile,
    }),
  }
}

/** Said here already, because the first thing to go wrong would else be the port. The keeper's lock decides. */
async function refuseSecond({ name, state }: Target): Promise<void> {
  if (state === undefined || !(await isSameProcess(state.balancer))) return
  throw new LbError(`${name} is already running at ${state.listen.join(', ')} (balancer process ${state.balancer.pid})`, {
    code: 'LB_ALREADY_RUNNING',
    source: 'operator',
    hint: 'lb top watches it, lb down stops it; --name starts a second one beside it',
  })
}

function keyVariableOf({ gateway }: Topology): string | undefined {
  const [ref] = gateway.apiKeys
  return ref === undefined ? undefined : 'env' in ref ? ref.env : 'LB_API_KEY'
}
