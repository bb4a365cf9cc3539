import type { FitOption, MemoryRoom } from '@plimsoll/core/plugin'
import { kvTypeOf, type MemorySettings, needWith, usualContextTokens } from './memory-need.js'

const mostOptions = 4
const stepTokens = 1024
const loss = { q8_0: 'answers stay very nearly as they are', q4_0: 'answers get worse, most of all over long prompts' } as const
const smallerThan = { f16: ['q8_0', 'q4_0'], q8_0: ['q4_0'], q4_0: [] } as const

/** What is known where options are looked for. */
interface Question {
  readonly settings: MemorySettings
  readonly room: MemoryRoom
  readonly needMiB: (args: Partial<MemorySettings>) => number
  readonly fits: (mib: number, count?: number) => boolean
}

/** More cards, a smaller KV cache, fewer requests at once, a shorter context: in this order, what fits of it. Which other tags a model has is not looked up. */
export function fitOptions(weightsMib: number | undefined, settings: MemorySettings, room: MemoryRoom): readonly FitOption[] {
  if (weightsMib === undefined) return []
  const question: Question = {
    settings,
    room,
    needMiB: (args) => needWith(weightsMib, { ...settings, ...args }).mib,
    fits: (mib, count = room.count) => mib / count <= (room.freeMiB[count - 1] ?? 0),
  }
  return [moreGpus, smallerKv, fewerAtOnce, shorterContext].flatMap((way) => way(question) ?? []).slice(0, mostOptions)
}

function moreGpus({ room, needMiB, fits }: Question): FitOption | undefined {
  const mib = needMiB({})
  const count = room.freeMiB.findIndex((_, index) => index >= room.count && fits(mib, index + 1)) + 1
  if (room.kind === 'main' || count === 0) return undefined
  return { args: {}, count, mib, why: `takes ${count} GPUs instead of ${room.count}; answers stay as they are` }
}

/** The lesser loss of the two types. A quantised cache works with flash attention only. */
function smallerKv({ settings, room, needMiB, fits }: Question): FitOption | undefined {
  for (const kvCacheType of smallerThan[kvTypeOf(settings)]) {
    const args = { kvCacheType, flashAttention: true }
    const mib = needMiB(args)
    if (fits(mib)) return { args, count: room.count, mib, why: `a smaller KV cache; ${loss[kvCacheType]}` }
  }
  return undefined
}

function fewerAtOnce({ settings, room, needMiB, fits }: Question): FitOption | undefined {
  const parallel = largest(settings.parallel - 1, (count) => fits(needMiB({ parallel: count })))
  if (parallel === undefined) return undefined
  return { args: { parallel }, count: room.count, mib: needMiB({ parallel }), why: `requests at once, instead of ${settings.parallel}` }
}

function shorterContext({ settings, room, needMiB, fits }: Question): FitOption | undefined {
  const { contextTokens: now = usualContextTokens } = settings
  const steps = largest(Math.ceil(now / stepTokens) - 1, (count) => fits(needMiB({ contextTokens: count * stepTokens })))
  if (steps === undefined) return undefined
  const args = { contextTokens: steps * stepTokens }
  return { args, count: room.count, mib: needMiB(args), why: `instead of ${now}; Ollama cuts longer prompts in silence` }
}

/** The largest number from 1 to `high` that will do, where all smaller ones do too. */
function largest(high: number, does: (value: number) => boolean): number | undefined {
  for (let value = high; value >= 1; value -= 1) if (does(value)) return value
  return undefined
}
