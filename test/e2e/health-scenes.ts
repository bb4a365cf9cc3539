/** What the health promises are measured on: one `lb`, engines that turn bad in ways that no probe sees, a steady load. */
import type { Answered } from '../reliability/client.js'
import { Fleet, type SimProcess } from '../reliability/engines.js'
import { unanswered, type Question } from '../reliability/questions.js'
import { LbSubject } from '../reliability/subjects.js'
import { NodeWatch, type Spell } from './node-watch.js'
import { pause, SteadyLoad } from './steady-load.js'
import { until } from './house.js'

/** Tokens in about 22 ms: slow enough that a busy machine does not make them slower, fast enough for two requests a second from each client. */
export const usualFlags = ['--profile', '8b-h100', '--slowness', '3'] as const

export interface SceneOptions {
  /** Lines of the pool, four spaces deep: what is weakened on purpose. */
  readonly pool?: string
  /** Flags of each engine; absent: four usual ones. */
  readonly engines?: readonly (readonly string[])[]
  readonly clients?: number
  readonly question?: (index: number) => Question
}

/** A scene under way. */
export class Scene {
  private constructor(
    readonly fleet: Fleet,
    readonly lb: LbSubject,
    readonly watch: NodeWatch,
    readonly load: SteadyLoad,
  ) {}

  static async start({ pool = '', engines, clients = 20, question = usualQuestion }: SceneOptions = {}): Promise<Scene> {
    const fleet = await Fleet.startEach(engines ?? [usualFlags, usualFlags, usualFlags, usualFlags])
    const lb = (await LbSubject.start({ pool })(fleet.urls)) as LbSubject
    const watch = await NodeWatch.start(lb.house, fleet.engines)
    return new Scene(fleet, lb, watch, new SteadyLoad({ url: lb.url, clients, question }))
  }

  engine(index: number): SimProcess {
    return this.fleet.at(index)
  }

  async close(): Promise<readonly Answered[]> {
    for (const engine of this.fleet.engines.filter(({ isAlive }) => isAlive)) {
      engine.resume()
      await engine.fault(null).catch(() => undefined)
    }
    const answers = await this.load.stop()
    await this.watch.close()
    await this.lb.close()
    await this.fleet.close()
    return answers
  }
}

export function usualQuestion(index: number): Question {
  return unanswered(index, { count: 0, maxTokens: 32 })
}

export interface GrayFigures {
  readonly shareBefore: number
  /** Between ten and fifteen seconds after it turned slow. */
  readonly shareAfter: number
  readonly outAfterMs: number | undefined
  /** From the moment when it was well again to a share of over half of its equals'; undefined: not in time. */
  readonly backAfterMs: number | undefined
  readonly answers: readonly Answered[]
  readonly spells: readonly Spell[]
}

const VICTIM = 2

/** One of four equals turns four times slower, and is well again later. */
export async function turnsSlow(options: SceneOptions & { readonly warmMs: number; readonly backWithinMs: number }): Promise<GrayFigures> {
  const scene = await Scene.start(options)
  const { watch } = scene
  try {
    await pause(options.warmMs)
    const slowAtMs = performance.now()
    await scene.engine(VICTIM).fault('slow:4')
    await pause(15_500)
    const wellAtMs = performance.now()
    await scene.engine(VICTIM).fault(null)
    const isBack = (): boolean => watch.share(VICTIM, performance.now() - 3_000, performance.now()) > 0.125
    if (options.backWithinMs > 0) {
      await pause(3_000)
      await until(isBack, options.backWithinMs).catch(() => undefined)
    }
    const backAfterMs = options.backWithinMs > 0 && isBack() ? performance.now() - wellAtMs : undefined
    const [first] = watch.spellsOf(VICTIM).filter(({ fromMs }) => fromMs >= slowAtMs)
    return {
      shareBefore: watch.share(VICTIM, slowAtMs - options.warmMs / 2, slowAtMs),
      shareAfter: watch.share(VICTIM, slowAtMs + 10_000, slowAtMs + 15_000),
      outAfterMs: first === undefined ? undefined : first.fromMs - slowAtMs,
      backAfterMs,
      answers: await scene.close(),
      spells: watch.spells,
    }
  } catch (error) {
    await scene.close()
    throw error
  }
}

export interface LieFigures {
  /** When the last request was sent to the node that hangs; undefined: it still is. */
  readonly outAfterMs: number | undefined
  readonly sentLater: number
  readonly answers: readonly Answered[]
  /** Those that were in flight or were sent there after it had begun to hang, by how long they took. */
  readonly longestMs: number
  readonly spells: readonly Spell[]
  readonly strandedMs: readonly number[]
}

/** One of four says that it is well and gives no token any more. */
export async function hangsAndLies(options: SceneOptions & { readonly warmMs: number; readonly forMs: number }): Promise<LieFigures> {
  const scene = await Scene.start(options)
  const { watch } = scene
  try {
    await pause(options.warmMs)
    const hungAtMs = performance.now()
    await scene.engine(VICTIM).fault('stall')
    await pause(options.forMs)
    const endMs = performance.now()
    const lastSent = watch.samples.findLast(
      (sample, index, all) => (sample.received[VICTIM] ?? 0) > (all[index - 1]?.received[VICTIM] ?? 0),
    )
    const sentLater = watch.sentBetween(hungAtMs + 10_000, endMs)[VICTIM] ?? 0
    const answers = await scene.close()
    const during = answers.filter(({ endedAtMs }) => endedAtMs > hungAtMs)
    const tookMs = during.map(({ startedAtMs, endedAtMs }) => endedAtMs - Math.max(startedAtMs, hungAtMs))
    return {
      outAfterMs: sentLater > 0 || lastSent === undefined ? undefined : Math.max(0, lastSent.atMs - hungAtMs),
      sentLater,
      answers: during,
      longestMs: Math.max(...tookMs),
      spells: watch.spells,
      strandedMs: during.filter(({ attempts }) => attempts > 1).map(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs),
    }
  } catch (error) {
    await scene.close()
    throw error
  }
}
