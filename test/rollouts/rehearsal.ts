/** A pool of simulated engines behind a real `lb up`, many clients at once, one rollout in the middle of them: how it ended, and what it cost whom. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOver, type RolloutStatus, type RolloutVerb, type RolloutWish } from '@plimsoll/core'
import { House, until, type StatusDocument } from '../e2e/house.js'
import { pause } from '../e2e/steady-load.js'
import { controlSocket } from '../e2e/thread-load.js'
import type { Answered } from '../reliability/client.js'
import { tally, type Tally } from '../reliability/tally.js'
import { CapacityWatch } from './capacity-watch.js'
import { ControlClient } from './control-client.js'
import { changedPrints, printsOf, type EnginePrint } from './engine-prints.js'
import { MixedClients, questionSet, type MixOptions } from './mixed-clients.js'

export interface RehearsalOptions extends Partial<MixOptions> {
  readonly nodes?: number
  /** `launch.args` of the declared engines, as YAML. */
  readonly args?: string
  /** Further lines of the pool, indented by four. */
  readonly pool?: string
  /** Further lines of the launch, indented by ten. */
  readonly launch?: string
}

/** What a rollout is to do; `set` by paths in the node group, `plan` in the place of what the pool says. */
export interface Wish {
  readonly set?: Readonly<Record<string, unknown>>
  readonly model?: string
  readonly plan?: RolloutWish['plan'] & object
  /** The balancer is killed as by kill -9 when this says so, asked every 20 ms. */
  readonly killWhen?: (status: RolloutStatus, sinceStartMs: number) => boolean
  /** What a person does once, when it comes to this. */
  readonly act?: { readonly when: RolloutStatus['phase']; readonly verb: RolloutVerb }
  /** The clients go on for so long after the end. */
  readonly calmMs?: number
}

export interface Rehearsed {
  /** As it ended. */
  readonly status: RolloutStatus
  /** From the wish to the end, on the clock of the harness. */
  readonly tookMs: number
  /** Tries at nodes of the new revision, as the request log has them. */
  readonly canaryRequests: number
  /** Those of them that failed there, whatever became of the request. */
  readonly canaryFailures: number
  /** All requests of all clients while it ran and shortly after; without those that the killed balancer itself had in its hands. */
  readonly clients: Tally
  /** The same one by one. */
  readonly answers: readonly Answered[]
  /** Requests that broke off in the very moment of a kill of the balancer: no rollout's doing. */
  readonly lostWithBalancer: number
  readonly fewestReady: number
  /** Nodes of the old revision whose processes were started with other bytes than before, or that are missing. */
  readonly changed: readonly string[]
  /** Nodes of the old revision that are the very same processes as before. */
  readonly samePids: number
  /** Phase in which the balancer was killed. */
  readonly killedIn: string | undefined
}

interface AttemptLine {
  readonly node: string
  readonly outcome: string
  readonly revision?: string
}

const POOL = 'demo'
const LOOKS_EVERY_MS = 20
const LOG_FLUSHES_MS = 500
/** From the death of a balancer until the next one answers; a request that was begun in it may have met the dying socket. */
const DYING_MS = 500

export class Rehearsal {
  private constructor(
    readonly house: House,
    readonly url: string,
    readonly control: ControlClient,
    readonly nodes: number,
    private readonly capacity: CapacityWatch,
    private readonly questions: Awaited<ReturnType<typeof questionSet>>,
    private readonly mix: MixOptions,
  ) {}

  static async start(options: RehearsalOptions = {}): Promise<Rehearsal> {
    const mix = {
      clients: options.clients ?? 200,
      longTokens: options.longTokens ?? 100,
      deadlineMs: options.deadlineMs ?? 120_000,
      pauseMs: options.pauseMs ?? 0,
    }
    const house = new House(topologyOf(options))
    const questions = await questionSet(mix.longTokens)
    const url = await house.up()
    const { nodes = 4 } = options
    const control = new ControlClient(await controlSocket(house))
    const rehearsal = new Rehearsal(house, url, control, nodes, new CapacityWatch(control, nodes), questions, mix)
    await until(() => rehearsal.capacity.ready === nodes, 60_000)
    return rehearsal
  }

  status(): Promise<StatusDocument> {
    return this.control.get<StatusDocument>('/v1/status')
  }

  rollout(): Promise<RolloutStatus> {
    return this.control.get<RolloutStatus>(`/v1/rollouts/${POOL}`)
  }

  start(wish: Pick<Wish, 'set' | 'model' | 'plan'>): Promise<RolloutStatus> {
    const { set, model, plan } = wish
    return this.control.post<RolloutStatus>('/v1/rollouts', { pool: POOL, set, model, plan })
  }

  /** One rollout under load, to its end or until `withinMs` is over. */
  async run(wish: Wish, withinMs = 180_000): Promise<Rehearsed> {
    const before = await this.prints()
    const clients = new MixedClients(this.url, this.questions, this.mix)
    await until(() => clients.answered >= this.mix.clients / 2, 60_000)
    this.capacity.begin()
    const logged = this.attempts().length
    const begunMs = performance.now()
    const begun = await this.start(wish)
    const { status, kill } = await this.watch(begun.id, wish, begunMs + withinMs)
    const tookMs = performance.now() - begunMs
    await pause(wish.calmMs ?? 500)
    const fewestReady = this.capacity.fewest
    const answers = await clients.stop()
    await pause(LOG_FLUSHES_MS)
    const tries = this.attempts().slice(logged)
    const canary = tries.filter(({ revision }) => revision === status.to.revision)
    const after = await this.prints()
    const kept = kill === undefined ? answers : answers.filter((answer) => !isLostWith(kill.atMs, answer))
    return {
      status,
      tookMs,
      canaryRequests: canary.length,
      canaryFailures: canary.filter(({ outcome }) => outcome !== 'answered').length,
      clients: tally(kept),
      answers: kept,
      lostWithBalancer: answers.length - kept.length,
      fewestReady,
      changed: changedPrints(before, after),
      samePids: [...before].filter(([id, { pid }]) => after.get(id)?.pid === pid).length,
      killedIn: kill?.phase,
    }
  }

  /** As `kill -9` of the balancer; its keeper starts another. Resolves when that one answers, with the moment of the kill. */
  async killBalancer(): Promise<number> {
    const { pid } = await this.status()
    process.kill(pid, 'SIGKILL')
    const atMs = performance.now()
    await until(async () => (await this.status()).pid !== pid, 30_000)
    return atMs
  }

  /** What the engines of this pool were started with. */
  async prints(): Promise<ReadonlyMap<string, EnginePrint>> {
    return printsOf((await this.status()).pools.find(({ name }) => name === POOL)?.nodes ?? [])
  }

  async close(): Promise<void> {
    this.control.close()
    await this.house.lb(['down', '--force'])
    await this.house.close()
  }

  private async watch(id: string, wish: Wish, untilMs: number): Promise<{ status: RolloutStatus; kill: Kill | undefined }> {
    const begunMs = performance.now()
    let kill: Kill | undefined
    let isActedOn = wish.act === undefined
    for (;;) {
      const status = await this.rollout()
      if (status.id !== id) throw new Error(`the rollout ${id} is gone; there is ${JSON.stringify(status)}`)
      if (isOver(status)) return { status, kill }
      if (performance.now() > untilMs) throw new Error(`no end in time: ${JSON.stringify(status)}\n${this.house.logs()}`)
      if (kill === undefined && wish.killWhen?.(status, performance.now() - begunMs) === true) {
        kill = { atMs: await this.killBalancer(), phase: status.phase }
      }
      if (!isActedOn && status.phase === wish.act?.when) {
        isActedOn = true
        await this.control.post(`/v1/rollouts/${POOL}/${wish.act.verb}`)
      }
      await pause(LOOKS_EVERY_MS)
    }
  }

  /** Every try of every request that has ended, from the balancer's own log. */
  private attempts(): AttemptLine[] {
    const files = readdirSync(this.house.cwd).filter((name) => name.startsWith('requests.ndjson'))
    return files
      .flatMap((name) => readFileSync(join(this.house.cwd, name), 'utf8').split('\n'))
      .filter((line) => line.endsWith('}'))
      .flatMap((line) => (JSON.parse(line) as { attempts: readonly AttemptLine[] }).attempts)
  }
}

interface Kill {
  readonly atMs: number
  readonly phase: string
}

/** Under way when the balancer was killed, and broken off by that. */
function isLostWith(killedAtMs: number, { kind, startedAtMs, endedAtMs }: Answered): boolean {
  return (kind === 'broken' || kind === 'cut') && startedAtMs < killedAtMs + DYING_MS && endedAtMs > killedAtMs - 1
}

function topologyOf({ nodes = 4, args = 'profile: 8b-h100, slowness: 8', pool = '', launch = '' }: RehearsalOptions): string {
  return `version: 1
gateway: { listen: 127.0.0.1:0, requestLog: { file: requests.ndjson, maxSize: 1GiB } }
pools:
  ${POOL}:
    models: [sim-8b]
${pool}
    nodes:
      - name: sim
        engine: sim
        launch:
          replicas: ${nodes}
          args: { ${args} }
${launch}
`
}
