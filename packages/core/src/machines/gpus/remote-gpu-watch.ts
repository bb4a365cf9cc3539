import type { Clock, TimerHandle } from '../../base/index.js'
import { isLbError, messageOf } from '../../errors/index.js'
import type { SshDestination } from '../ssh/ssh-destination.js'
import { SshLink } from '../ssh/ssh-link.js'
import { createGpuWatch, type GpuReading, type GpuWatch } from './gpu-watch.js'
import { gpuKey, type MachineGpu } from './machine-gpu.js'
import { sshGpuMachine } from './ssh-gpu-machine.js'
import { allowedGpus } from './visible-gpus.js'

/** A machine to look at through the system's ssh. */
export interface GpuHost {
  readonly name: string
  readonly ssh: SshDestination
  readonly sshConfig?: string
}

export interface RemoteGpuWatch extends GpuWatch {
  close(): void
}

interface Opened {
  readonly link: SshLink
  readonly watch: GpuWatch
  /** What the login there may use itself. */
  readonly env: NodeJS.ProcessEnv
}

/** A link that nobody has asked through for so long is closed. */
const IDLE_MS = 60_000
const VISIBLE_SCRIPT = `env | grep -E '^(CUDA|ROCR|HIP)_VISIBLE_DEVICES='; exit 0`

/** What names an accelerator of another machine here: a uuid is unique, a place is not. */
export function remoteGpuKey({ ssh }: Pick<GpuHost, 'ssh'>, gpu: Pick<MachineGpu, 'vendor' | 'index' | 'uuid' | 'pciBusId'>): string {
  const key = gpuKey(gpu)
  return gpu.uuid === null ? `${ssh.host}${ssh.port === undefined ? '' : `:${ssh.port}`}/${key}` : key
}

/** The accelerators of another machine that its login may use. The link is made when somebody asks, and closed when nobody does; one that cannot be made is told in the reading. */
export function createRemoteGpuWatch(host: GpuHost, env: NodeJS.ProcessEnv, clock: Clock): RemoteGpuWatch {
  return new SshGpuWatch(host, env, clock)
}

class SshGpuWatch implements RemoteGpuWatch {
  last: GpuReading | undefined
  private lastAtMs = -Infinity
  private asking: Promise<GpuReading> | undefined
  private opened: Opened | undefined
  private idle: TimerHandle | undefined
  private closed = false

  constructor(
    private readonly host: GpuHost,
    private readonly env: NodeJS.ProcessEnv,
    private readonly clock: Clock,
  ) {}

  read(maxAgeMs: number): Promise<GpuReading> {
    if (this.last !== undefined && this.clock.nowMs() - this.lastAtMs <= maxAgeMs) return Promise.resolve(this.last)
    this.asking ??= this.ask().finally(() => (this.asking = undefined))
    return this.asking
  }

  close(): void {
    this.closed = true
    this.drop()
  }

  private async ask(): Promise<GpuReading> {
    this.idle?.cancel()
    const reading = await this.look()
    this.last = reading
    this.lastAtMs = this.clock.nowMs()
    if (this.closed) this.drop()
    return reading
  }

  private async look(): Promise<GpuReading> {
    try {
      const { link, watch, env } = (this.opened ??= await this.open())
      await link.open()
      const { gpus, ...reading } = await watch.read(0)
      const allowed = new Set<MachineGpu>(allowedGpus(gpus, env))
      const usable = gpus.filter((gpu) => allowed.has(gpu))
      this.idle = this.clock.after(IDLE_MS, () => this.drop())
      return { ...reading, gpus: usable.map((gpu) => ({ ...gpu, key: remoteGpuKey(this.host, gpu) })) }
    } catch (error) {
      this.drop()
      const hint = (isLbError(error) ? error.hint : undefined) ?? `try: ssh ${this.host.name} true`
      const away = { tool: 'ssh', message: messageOf(error), hint }
      return { gpus: this.last?.gpus ?? [], problems: [away], atMs: this.clock.epochMs(), away }
    }
  }

  private async open(): Promise<Opened> {
    const { name, ssh: destination, sshConfig: configFile } = this.host
    const link = new SshLink({ name, destination, env: this.env, ...(configFile === undefined ? {} : { configFile }) })
    try {
      const watch = createGpuWatch(await sshGpuMachine(link), this.clock)
      return { link, watch, env: variablesIn((await link.run(VISIBLE_SCRIPT)).stdout) }
    } catch (error) {
      link.close()
      throw error
    }
  }

  private drop(): void {
    this.idle?.cancel()
    this.opened?.link.close()
    this.opened = undefined
  }
}

function variablesIn(text: string): NodeJS.ProcessEnv {
  const found = text.matchAll(/^((?:CUDA|ROCR|HIP)_VISIBLE_DEVICES)=(.*)$/gm)
  return Object.fromEntries([...found].map(([, name = '', value = '']) => [name, value]))
}
