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
  /** When it was taken out for the first time; undefined: never. */
  readonly outAfterMs: number | undefined
  /** What it was sent later than ten seconds after it had begun to hang: single requests that try it out. */
  readonly sentLater: number
  readonly shareLater: number
  /** All that ended after it had begun to hang. */
  readonly answers: readonly Answered[]
  /** The longest wait of them, from then on. */
  readonly longestMs: number
  /** How long those took that another node answered from their beginning. */
  readonly movedMs: readonly number[]
  readonly spells: readonly Spell[]
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
    const sentLater = watch.sentBetween(hungAtMs + 10_000, endMs)[VICTIM] ?? 0
    const shareLater = watch.share(VICTIM, hungAtMs + 10_000, endMs)
    const [first] = watch.spellsOf(VICTIM).filter(({ fromMs }) => fromMs >= hungAtMs)
    const answers = (await scene.close()).filter(({ endedAtMs }) => endedAtMs > hungAtMs)
    return {
      outAfterMs: first === undefined ? undefined : first.fromMs - hungAtMs,
      sentLater,
      shareLater,
      answers,
      longestMs: Math.max(...answers.map(({ startedAtMs, endedAtMs }) => endedAtMs - Math.max(startedAtMs, hungAtMs))),
      movedMs: answers.filter(({ attempts }) => attempts > 1).map(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs),
      spells: watch.spells,
    }
  } catch (error) {
    await scene.close()
    throw error
  }
}

export interface PeaceFigures {
  readonly spells: readonly Spell[]
  readonly sent: readonly number[]
  readonly most: number
}

/** Two machines and two that are legitimately slower from birth: nobody is to be taken out. */
export async function slowFromBirth(options: SceneOptions & { readonly forMs: number; readonly slowness: number }): Promise<PeaceFigures> {
  const slower = ['--profile', '8b-h100', '--slowness', String(3 * options.slowness)]
  const scene = await Scene.start({ ...options, engines: [usualFlags, usualFlags, slower, slower] })
  const startMs = performance.now()
  await pause(options.forMs)
  const figures = { spells: scene.watch.spells, sent: scene.watch.sentBetween(startMs, performance.now()), most: scene.watch.mostOut }
  await scene.close()
  return figures
}

/** The same fault at three of four: how many are out at once. Each gets it when the one before it has had time to be taken out. */
export async function threeOfFour(
  options: SceneOptions & { readonly fault: string; readonly warmMs: number; readonly forMs: number },
): Promise<PeaceFigures & { readonly answers: readonly Answered[] }> {
  const scene = await Scene.start(options)
  await pause(options.warmMs)
  const startMs = performance.now()
  for (const index of [1, 2, 3]) await scene.engine(index).fault(options.fault)
  await pause(options.forMs)
  const figures = { spells: scene.watch.spells, sent: scene.watch.sentBetween(startMs, performance.now()), most: scene.watch.mostOut }
  return { ...figures, answers: await scene.close() }
}

/** How long a node was out, each time that it failed again as soon as it was back. */
export async function flaps(options: SceneOptions & { readonly times: number; readonly withinMs: number }): Promise<number[]> {
  const scene = await Scene.start(options)
  const { watch } = scene
  try {
    await pause(3_000)
    for (let time = 1; time <= options.times; time += 1) {
      await scene.engine(VICTIM).fault('storm-503')
      await until(() => watch.spellsOf(VICTIM).length >= time, options.withinMs)
      await scene.engine(VICTIM).fault(null)
      await until(() => watch.spellsOf(VICTIM)[time - 1]?.toMs !== undefined, options.withinMs)
    }
    return watch.spellsOf(VICTIM).map(({ fromMs, toMs }) => (toMs ?? performance.now()) - fromMs)
  } finally {
    await scene.close()
  }
}
