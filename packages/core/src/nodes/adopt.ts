import type { Clock } from '../base/index.js'
import type { LaunchSlot } from '../contracts/index.js'
import { oomKills, proveOwnEngine, reclaimPort, stopTree, watchProcess, type PortReservation } from '../machines/index.js'
import type { RecordedLaunch } from '../state/index.js'
import { nodeLogPath, type LeftEngine } from './leftovers.js'
import type { Life } from './life.js'
import type { RunnerContext } from './node-runner.js'
import type { Node } from './node.js'
import { standInSteps } from './remote-launch.js'
import { prepareLaunch, type PreparedLaunch } from './prepare-launch.js'

const CLAIM_TRIES = 10
const CLAIM_PAUSE_MS = 50

const STOP = [{ signal: 'SIGTERM', waitMs: 2_500 }] as const

/**
 * Takes over the engine that an earlier balancer left for this node, as it runs, where a launch now would make the same one; `onAdopted` is called before
 * anything else happens. One that does not fit is ended. Undefined where nothing was taken over. Throws what keeps a launch from being planned, a missing
 * secret say: until that is mended nobody knows whether it fits, and it runs on.
 */
export async function adopt(
  node: Node,
  context: RunnerContext,
  onAdopted: (life: Life, prepared: PreparedLaunch) => void,
): Promise<Life | undefined> {
  const left = await context.leftovers.of(node.id)
  if (left === undefined) return undefined
  const found = await judge(left, node, context)
  if (typeof found !== 'string') {
    onAdopted(found.life, found.prepared)
    context.leftovers.settle(node.id)
    context.log.info('node.adopted', { node: node.id, pid: left.process.pid, url: found.prepared.url })
    return found.life
  }
  context.log.warn('node.not_adopted', { node: node.id, pid: left.process.pid, why: found })
  const steps = left.launch?.host === undefined ? STOP : standInSteps(undefined, true)
  await stopTree({ identity: left.process, mark: left.mark, steps })
  context.leftovers.settle(node.id)
  return undefined
}

interface Adoptable {
  readonly life: Life
  readonly prepared: PreparedLaunch
}

/** The life to go on with, or why there is none. */
async function judge(left: LeftEngine, node: Node, context: RunnerContext): Promise<Adoptable | string> {
  const { launch, mark, process: identity } = left
  const logPath = nodeLogPath(context.logDir, node.id)
  if (!isWhole(launch)) return 'how it was launched was not written down'
  const slot: LaunchSlot = {
    host: '127.0.0.1',
    port: launch.port,
    replica: node.plan.replica,
    extraPorts: launch.extraPorts,
    ...(launch.gpus === undefined ? {} : { gpus: launch.gpus }),
  }
  const prepared = await prepareLaunch(node.plan, launch.port, () => Promise.resolve(slot), context)
  if (prepared.hash !== launch.hash) return 'the topology would launch it differently now'
  const ports = await reclaimAll([launch.port, ...launch.extraPorts], context.clock)
  if (ports === undefined) return 'another balancer has claimed its port'
  const proof = await proveOwnEngine({ identity, mark, logPath })
  if (proof.is !== 'ours') {
    for (const port of ports) port.release()
    return proof.why
  }
  const { clock } = context
  const startedAtMs = clock.nowMs() - Math.max(0, clock.epochMs() - launch.startedAtMs)
  const seat = await context.gpus?.adopt(node.plan, { mark, identity, gpus: launch.gpus ?? [] })
  const { remote } = prepared
  const held = { ...(seat === undefined ? {} : { seat }), ...(remote === undefined ? {} : { remote }) }
  const life = {
    process: watchProcess(identity, clock),
    ports,
    ...held,
    slot,
    mark,
    logPath,
    record: launch,
    startedAtMs,
    oomKills: oomKills(),
  }
  return { life, prepared }
}

/** Anything may stand in a state file. */
function isWhole(launch: RecordedLaunch | undefined): launch is RecordedLaunch {
  return (
    typeof launch?.hash === 'string' &&
    Number.isInteger(launch.port) &&
    Array.isArray(launch.extraPorts) &&
    typeof launch.startedAtMs === 'number' &&
    typeof launch.logFrom === 'number'
  )
}

/** Whoever looks for a free port claims this one for a moment, until it finds that somebody listens there: worth asking again before an engine is ended for it. */
async function reclaim(port: number, clock: Clock): Promise<PortReservation | undefined> {
  for (let asked = 1; ; asked += 1) {
    const claim = await reclaimPort(port)
    if (claim !== undefined || asked === CLAIM_TRIES) return claim
    await new Promise<void>((resolve) => void clock.after(CLAIM_PAUSE_MS, resolve))
  }
}

async function reclaimAll(wanted: readonly number[], clock: Clock): Promise<readonly PortReservation[] | undefined> {
  const held: PortReservation[] = []
  for (const port of wanted) {
    const claim = await reclaim(port, clock)
    if (claim === undefined) {
      for (const each of held) each.release()
      return undefined
    }
    held.push(claim)
  }
  return held
}
