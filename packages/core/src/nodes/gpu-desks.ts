import { LbError } from '../errors/index.js'
import { remoteGpuKey, type GpuWatch } from '../machines/index.js'
import type { HostPlan } from '../topology/index.js'
import { GpuDesk, type GpuDeskOptions } from './gpu-desk.js'
import type { AdoptedEngine, GpuSeat, SeatWish } from './gpu-seat.js'
import { gpuWishOf } from './gpu-wish-of.js'
import type { NodePlan } from './node-plan.js'

export interface GpuDesksOptions extends GpuDeskOptions {
  /** Looks at another machine. */
  readonly watchOf: (host: HostPlan) => GpuWatch
}

interface Remote {
  readonly desk: GpuDesk
  readonly watch: GpuWatch
}

const FRESH_MS = 2_000
const POLL_MS = 2_000
/** As long as the stand-in of an engine waits for its machine. */
const REACH_WITHIN_MS = 300_000

/** One desk for each machine: this one, and those on which nodes are launched over ssh. A machine that does not answer delays its own nodes only. */
export class GpuDesks {
  private readonly here: GpuDesk
  private readonly remotes = new Map<string, Remote>()

  constructor(private readonly options: GpuDesksOptions) {
    this.here = new GpuDesk({ ...options, plans: () => options.plans().filter((plan) => plan.group.host === undefined) })
  }

  /** Keys of what a node holds, wherever it runs. */
  heldBy(nodeId: string): readonly string[] | undefined {
    const desks = [this.here, ...[...this.remotes.values()].map((remote) => remote.desk)]
    return desks.map((desk) => desk.heldBy(nodeId)).find((held) => held !== undefined)
  }

  /** Undefined too where only the topology knows which ones it takes: its machine does not tell. */
  async take(plan: NodePlan, wish: SeatWish): Promise<GpuSeat | undefined> {
    const { host } = plan.group
    const wanted = gpuWishOf(plan)
    if (host === undefined) return this.here.take(plan, wish)
    const remote = this.remote(host)
    if (wanted === undefined || wanted.kind === 'none' || (await this.isSeen(plan, host, wish))) return remote.desk.take(plan, wish)
    return undefined
  }

  adopt(plan: NodePlan, engine: AdoptedEngine): Promise<Pick<GpuSeat, 'release'> | undefined> {
    return this.deskOf(plan).adopt(plan, engine)
  }

  private deskOf({ group: { host } }: NodePlan): GpuDesk {
    return host === undefined ? this.here : this.remote(host).desk
  }

  retake(plan: NodePlan, engine: AdoptedEngine, wish: SeatWish): Promise<Pick<GpuSeat, 'release'> | undefined> {
    return this.deskOf(plan).retake(plan, engine, wish)
  }

  /** Whether all these could sit at once; false too while nobody knows what there is. */
  fitTogether(plans: readonly NodePlan[]): boolean {
    const desks = new Map(plans.map((plan) => [this.deskOf(plan), plan.group.host]))
    return [...desks].every(([desk, host]) => desk.fitTogether(plans.filter(({ group }) => isSameHost(group.host, host))) === true)
  }

  /** Waits for a machine that is away; false where the topology names the accelerators and nobody can look at them. */
  private async isSeen(plan: NodePlan, host: HostPlan, wish: SeatWish): Promise<boolean> {
    const { clock, log } = this.options
    const deadlineMs = clock.nowMs() + REACH_WITHIN_MS
    for (;;) {
      const { gpus, away, problems } = await this.remote(host).watch.read(FRESH_MS)
      if (away === undefined && gpus.length > 0) return true
      if (isNamed(plan)) {
        const why = away?.message ?? problems[0]?.message ?? `${host.name} tells of no GPU`
        log.warn('gpu.note', { node: plan.id, note: `GPUs are taken as the topology names them, and not reserved: ${why}` })
        return false
      }
      if (away === undefined) return true
      if (!wish.wanted() || clock.nowMs() >= deadlineMs)
        throw new LbError(away.message, { code: 'LB_NO_GPU', source: 'operator', hint: away.hint })
      wish.say(`waiting for ${host.name} to tell of its GPUs: ${away.message}`)
      await new Promise<void>((resolve) => void clock.after(POLL_MS, resolve))
    }
  }

  private remote(host: HostPlan): Remote {
    const key = machineKey(host)
    const known = this.remotes.get(key)
    if (known !== undefined) return known
    const { options } = this
    const watch = options.watchOf(host)
    const { fitsOf: _, ...shared } = options
    const desk = new GpuDesk({
      ...shared,
      watch,
      // The watch tells only what the login over there may use.
      env: {},
      plans: () => options.plans().filter((plan) => plan.group.host !== undefined && machineKey(plan.group.host) === key),
      // Plugins read the files of this machine, which are not those that the engine will load.
      needOf: () => undefined,
      keyOf: (gpu) => remoteGpuKey(host, gpu),
    })
    const made = { desk, watch }
    this.remotes.set(key, made)
    return made
  }
}

/** One name may come to mean another machine when the topology changes. */
export function machineKey({ name, ssh, sshConfig }: HostPlan): string {
  return JSON.stringify([name, ssh.host, ssh.user, ssh.port, sshConfig])
}

function isSameHost(one: HostPlan | undefined, other: HostPlan | undefined): boolean {
  return (one === undefined ? '' : machineKey(one)) === (other === undefined ? '' : machineKey(other))
}

function isNamed(plan: NodePlan): boolean {
  const wish = gpuWishOf(plan)
  return wish?.kind === 'listed' || (wish?.kind === 'counted' && wish.from !== undefined)
}
