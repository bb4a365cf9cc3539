import type { RandomSource } from '@plimsoll/core/routing'
import type { PromptRun, Workload, WorkloadRequest } from '../workload.js'
import { arrivalTimes } from './arrivals.js'
import { drawSpread, streamOf, zipf } from './draws.js'
import { turnChances, type Shape } from './shape.js'

export interface ShapeWorkloadOptions {
  readonly name: string
  readonly seed: number
  readonly sessionsPerSecond: number
  /** Of all sessions together; the last one is cut short where it would be more. */
  readonly requests: number
}

/** Requests of a shape. The same seed asks the same of the fleet at every rate: only the gaps between starts differ. Can be read more than once. */
export function shapeWorkload(shape: Shape, options: ShapeWorkloadOptions): Workload {
  return { name: options.name, starts: { [Symbol.iterator]: () => sessionsOf(shape, options) } }
}

function* sessionsOf(shape: Shape, { seed, sessionsPerSecond, requests }: ShapeWorkloadOptions): Generator<WorkloadRequest> {
  const times = arrivalTimes({ ...shape.arrivals, perSecond: sessionsPerSecond }, streamOf(seed, 'arrivals'))
  const writer = new SessionWriter(shape, seed)
  for (let left = requests; left > 0;) {
    const first = writer.session(times.next().value, left)
    left -= lengthOf(first)
    yield first
  }
}

function lengthOf(first: WorkloadRequest): number {
  let length = 0
  for (let each: WorkloadRequest | undefined = first; each !== undefined; each = each.next) length++
  return length
}

/** One turn before it is linked to the one after it. */
type Turn = Omit<WorkloadRequest, 'next'>

class SessionWriter {
  private readonly heads: readonly (readonly PromptRun[])[]
  private readonly drawHead: (random: RandomSource) => number
  private readonly drawTurns: (random: RandomSource) => number
  private readonly random: RandomSource
  private freshId = 1
  private sessions = 0

  constructor(
    private readonly shape: Shape,
    seed: number,
  ) {
    this.random = streamOf(seed, 'sessions')
    this.heads = this.writeHeads(streamOf(seed, 'heads'))
    this.drawHead = zipf(shape.heads.count, shape.heads.skew)
    this.drawTurns = weighted(turnChances(shape.turns))
  }

  session(startMs: number, most: number): WorkloadRequest {
    const { shape, random } = this
    const head = this.drawHead(random)
    const session = `s${++this.sessions}`
    const count = Math.min(most, 1 + this.drawTurns(random))
    const turns: Turn[] = []
    let prompt = [...(this.heads[head] ?? []), this.fresh(drawSpread(random, shape.firstTokens))]
    for (let turn = 0; turn < count; turn++) {
      const atMs = turn === 0 ? startMs : drawSpread(random, shape.thinkMs)
      const answer = this.fresh(drawSpread(random, shape.answerTokens))
      const answerId = turn + 1 < count ? { answerId: answer.id } : {}
      turns.push({ atMs, prompt, outputTokens: answer.tokens, ...answerId, session, tenant: `t${head}` })
      prompt = [...prompt, answer, this.fresh(drawSpread(random, shape.laterTokens))]
    }
    return linked(turns)
  }

  private writeHeads(random: RandomSource): PromptRun[][] {
    const { count, tokens, commonTokens = 0 } = this.shape.heads
    const common = commonTokens === 0 ? undefined : this.fresh(commonTokens)
    return Array.from({ length: count }, () => {
      const length = drawSpread(random, tokens)
      if (common === undefined || length <= common.tokens) return [this.fresh(length)]
      return [common, this.fresh(length - common.tokens)]
    })
  }

  private fresh(tokens: number): PromptRun {
    return { id: this.freshId++, tokens }
  }
}

function linked(turns: readonly Turn[]): WorkloadRequest {
  const [first, ...others] = turns.toReversed()
  if (first === undefined) throw new RangeError('a session has at least one request')
  return others.reduce<WorkloadRequest>((next, turn) => ({ ...turn, next }), first)
}

/** Positions by their chances, which sum to 1. */
function weighted(chances: readonly number[]): (random: RandomSource) => number {
  return (random) => {
    let left = random.next()
    const found = chances.findIndex((chance) => (left -= chance) < 0)
    return found < 0 ? chances.length - 1 : found
  }
}
