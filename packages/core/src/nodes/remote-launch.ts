import { createHash } from 'node:crypto'
import type { Backend, LaunchPlan, LaunchSlot, StopStep } from '../contracts/index.js'
import {
  inheritedPatterns,
  MARK_VARIABLE,
  REMOTE_MARK_VARIABLE,
  remoteEngineMain,
  type RemoteEngineOrder,
  type SpawnRequest,
} from '../machines/index.js'
import type { GpuRef, GpuWish, HostPlan } from '../topology/index.js'
import { planLaunch } from './launch-command.js'
import type { NodePlan } from './node-plan.js'

/** A launch on another machine: everything that the stand-in here must know but for the mark. */
export type RemoteLaunch = Omit<RemoteEngineOrder, 'mark'>

export interface RemoteLaunchFacts {
  readonly backend: Backend
  /** Here. */
  readonly slot: LaunchSlot
  readonly plan: LaunchPlan
  /** All variables that were declared, by the plugin or the topology. */
  readonly declared: Readonly<Record<string, string>>
  readonly topologyName: string
}

/** What a login without a terminal finds on most machines; a virtual environment comes before it. */
const REMOTE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const LATE_MS = 20_000
const DEFAULT_STEPS = [{ signal: 'SIGTERM', waitMs: 10_000 }] as const
/** The stand-in ends its engine without asking it first. */
const CUT = [{ signal: 'SIGINT', waitMs: 15_000 }] as const

/** Ports to reserve here beside the one that is served on: what the engine asks for, and one that it listens on over there. */
export function portsBeside({ group }: NodePlan, backend: Backend): number {
  return (backend.extraPorts ?? 0) + (group.host === undefined || group.host.directAddress !== undefined ? 0 : 1)
}

export function directUrl(address: string, port: number): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** The slot as the engine sees it over there: with a tunnel another port than here, because the other machine may be this one. */
export function remoteSlot(slot: LaunchSlot, { directAddress }: HostPlan): LaunchSlot {
  if (directAddress !== undefined) return { ...slot, host: directAddress }
  return { ...slot, port: slot.extraPorts.at(-1) ?? slot.port, extraPorts: slot.extraPorts.slice(0, -1) }
}

/** The environment in which a plan for another machine is made. */
export const remoteEnvironment: NodeJS.ProcessEnv = { PATH: REMOTE_PATH }

export function remoteLaunch(node: NodePlan, host: HostPlan, facts: RemoteLaunchFacts): RemoteLaunch {
  const { backend, slot, plan, declared, topologyName } = facts
  const chosen = slot.gpus !== undefined
  const env = chosen ? declared : { ...declared, ...visibleGpus(node.group.launch?.gpus, node.replica) }
  // Ports differ from life to life; what is hashed must not.
  const portless = planLaunch(backend, node.group, { ...slot, port: 0, extraPorts: slot.extraPorts.map(() => 0) }, remoteEnvironment)
  const made = { engine: node.group.engine, models: node.pool.models, command: portless.command, args: portless.args, env }
  return {
    host: host.name,
    destination: host.ssh,
    options: [],
    ...(host.sshConfig === undefined ? {} : { configFile: host.sshConfig }),
    command: plan.command,
    args: plan.args,
    env,
    inherited: chosen ? inheritedPatterns.map(withoutChoice) : inheritedPatterns,
    ...(host.directAddress === undefined ? { port: slot.port } : {}),
    remotePort: remoteSlot(slot, host).port,
    hash: createHash('sha256').update(JSON.stringify(made)).digest('hex'),
    statePath: `.local/state/plimsoll/${topologyName}/${node.id.replaceAll('/', '.')}`,
    steps: backend.stop ?? DEFAULT_STEPS,
  }
}

/** What is started here: the engine, or the process that stands in for one on another machine. */
export function startOf(
  { plan, env, remote }: { readonly plan: LaunchPlan; readonly env: Readonly<Record<string, string>>; readonly remote?: RemoteLaunch },
  mark: string,
  ownEnv: NodeJS.ProcessEnv,
): Omit<SpawnRequest, 'logPath'> {
  if (remote !== undefined) return standIn(remote, mark, ownEnv)
  return { command: plan.command, args: plan.args, env: { ...env, [MARK_VARIABLE]: mark } }
}

function standIn(remote: RemoteLaunch, mark: string, env: NodeJS.ProcessEnv): Omit<SpawnRequest, 'logPath'> {
  const order: RemoteEngineOrder = { ...remote, mark, env: { ...remote.env, [REMOTE_MARK_VARIABLE]: mark } }
  const own = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])))
  return {
    command: process.execPath,
    args: ['--max-semi-space-size=1', remoteEngineMain],
    env: { ...own, LB_REMOTE_ENGINE: JSON.stringify(order), [MARK_VARIABLE]: mark },
  }
}

/** Signals to a stand-in: time for the engine's own steps over there and for the way; a cut is a word of its own, for only the stand-in reaches the engine. */
export function standInSteps(steps: readonly StopStep[] | undefined, isCut: boolean): readonly StopStep[] {
  if (isCut) return CUT
  return [{ signal: 'SIGTERM', waitMs: (steps ?? DEFAULT_STEPS).reduce((sum, step) => sum + step.waitMs, LATE_MS) }, ...CUT]
}

export interface EndWish {
  /** Undefined: what is usual. Empty: kill it at once. */
  readonly steps: readonly StopStep[] | undefined
  readonly forced?: AbortSignal
}

/** How to end an engine, or the stand-in of one. */
export function waysToEnd(
  { steps = DEFAULT_STEPS, forced }: EndWish,
  isRemote: boolean,
): { readonly steps: readonly StopStep[]; readonly forced?: AbortSignal } {
  if (isRemote) return { steps: standInSteps(steps, steps.length === 0 || forced?.aborted === true) }
  return { steps, ...(forced === undefined ? {} : { forced }) }
}

/** What the login there had chosen for itself must not stand beside what was chosen for the engine. */
function withoutChoice(pattern: string): string {
  return /^(CUDA|ROCR|HIP)_\*$/.test(pattern) ? pattern.replace('*', '[!V]*') : pattern
}

/** Where nobody could look at the accelerators over there, they are taken by the numbers that the topology names. */
function visibleGpus(wish: GpuWish | undefined, replica: number): Record<string, string> {
  if (wish === undefined || (wish.kind === 'counted' && wish.from === undefined)) return {}
  const chosen = wish.kind === 'none' ? [] : wish.kind === 'listed' ? (wish.lists[replica] ?? []) : countedOf(wish, replica)
  return { CUDA_VISIBLE_DEVICES: chosen.join(','), CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }
}

function countedOf({ from = [], perReplica, share }: Extract<GpuWish, { kind: 'counted' }>, replica: number): readonly GpuRef[] {
  const first = share && from.length < (replica + 1) * perReplica ? (replica * perReplica) % Math.max(1, from.length) : replica * perReplica
  return from.slice(first, first + perReplica)
}
