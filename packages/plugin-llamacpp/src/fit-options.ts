import type { FitOption, MemoryRoom, NodeSpec } from '@plimsoll/core/plugin'
import { numberOf } from './gguf-header.js'
import { kvBytes } from './gguf-types.js'
import { contextTokens, type ModelOnDisk, modelOnDisk, needWith } from './memory-need.js'
import type { LlamacppSettings } from './settings.js'

const MOST_OPTIONS = 4
const STEP_TOKENS = 1024
/** Each card holds buffers of its own. */
const BUFFERS_MIB = 300
/** Rows of the KV cache are cut into blocks of so many numbers. */
const KV_BLOCK = 32
/** Q4_K_M, over all tensors of a usual model. */
const FOUR_BIT = 4.85

/** What is known where options are looked for. */
interface Question {
  readonly model: ModelOnDisk
  readonly settings: LlamacppSettings
  readonly room: MemoryRoom
  /** What it would take with other settings. */
  readonly needMiB: (args: LlamacppSettings) => number
  readonly fits: (mib: number, count?: number) => boolean
}

/** More cards, a smaller KV cache, less at once, less in one request, a smaller file, layers in main memory: in this order, what fits of it. */
export function fitOptions(spec: NodeSpec<LlamacppSettings>, room: MemoryRoom): readonly FitOption[] {
  const model = modelOnDisk(spec)
  if (model === undefined) return []
  const settings: LlamacppSettings = room.kind === 'main' ? { ...spec.settings, gpuLayers: 'all' } : spec.settings
  const question: Question = {
    model,
    settings,
    room,
    needMiB: (args) => needWith(model, { ...settings, ...args }).mib,
    fits: (mib, count = room.count) => mib / count <= (room.freeMiB[count - 1] ?? 0),
  }
  const ways = [moreGpus, smallerKv, fewerSlots, shorterContext, fewerLayers, smallerFile]
  return ways.flatMap((way) => way(question) ?? []).slice(0, MOST_OPTIONS)
}

function moreGpus({ room, settings, needMiB, fits }: Question): FitOption | undefined {
  // Shares that somebody wrote are for so many cards.
  if (room.kind === 'main' || settings.tensorSplit !== undefined) return undefined
  const args = settings.splitMode === 'none' ? ({ splitMode: 'layer' } as const) : {}
  const mib = needMiB(args)
  const count = room.freeMiB.findIndex((_, index) => index >= room.count && fits(mib + index * BUFFERS_MIB, index + 1)) + 1
  if (count === 0) return undefined
  return { args, count, mib, why: `takes ${count} GPUs instead of ${room.count}; answers stay as they are` }
}

/** The lesser harm of the two types. */
function smallerKv({ model, settings, room, needMiB, fits }: Question): FitOption | undefined {
  const { kvTypeK = 'f16', kvTypeV = 'f16', flashAttention } = settings
  if (!hasWholeBlocks(model)) return undefined
  const harm = { q8_0: 'answers stay very nearly as they are', q4_0: 'answers get worse, most of all over long prompts' } as const
  for (const type of ['q8_0', 'q4_0'] as const) {
    if (kvBytes[type] >= Math.max(kvBytes[kvTypeK], kvBytes[kvTypeV])) continue
    // Values of such a type need flash attention.
    const args = { kvTypeK: type, kvTypeV: type, ...(flashAttention === 'off' ? { flashAttention: 'on' as const } : {}) }
    const mib = needMiB(args)
    if (fits(mib)) return { args, count: room.count, mib, why: `a smaller KV cache; ${harm[type]}` }
  }
  return undefined
}

/** llama-server refuses others. Nothing is promised for the one row of latent attention. */
function hasWholeBlocks({ header: { numbers } }: ModelOnDisk): boolean {
  const of = (key: string) => numberOf(numbers.get(key))
  const perHead = (of('embedding_length') ?? 0) / (of('attention.head_count') ?? 1)
  const sizes = [of('attention.key_length') ?? perHead, of('attention.value_length') ?? perHead]
  return of('attention.kv_lora_rank') === undefined && sizes.every((size) => size > 0 && size % KV_BLOCK === 0)
}

/** Each request keeps its context. */
function fewerSlots({ settings, room, needMiB, fits }: Question): FitOption | undefined {
  const { slots = 1, contextTokens: tokens, unifiedKv } = settings
  if (tokens === undefined || unifiedKv === true) return undefined
  const each = Math.floor(tokens / slots)
  const argsOf = (count: number) => ({ slots: count, contextTokens: each * count })
  const most = largest(1, slots - 1, (count) => fits(needMiB(argsOf(count))))
  if (most === undefined) return undefined
  const args = argsOf(most)
  return { args, count: room.count, mib: needMiB(args), why: `each request keeps ${each} tokens; ${most} run at once instead of ${slots}` }
}

function shorterContext({ model, settings, room, needMiB, fits }: Question): FitOption | undefined {
  const now = contextTokens(model.header, settings)
  const { slots = 1 } = settings
  const argsOf = (steps: number) => ({ contextTokens: steps * STEP_TOKENS })
  // A slot with less is of no use.
  const most = largest(slots, Math.ceil(now / STEP_TOKENS) - 1, (steps) => fits(needMiB(argsOf(steps))))
  if (most === undefined) return undefined
  const args = argsOf(most)
  const shared = slots === 1 ? '' : `, ${Math.floor(args.contextTokens / slots)} for each of ${slots} slots`
  return { args, count: room.count, mib: needMiB(args), why: `instead of ${now}${shared}; longer prompts are refused` }
}

function fewerLayers({ model: { layers }, settings, room, needMiB, fits }: Question): FitOption | undefined {
  if (room.kind === 'main') return undefined
  const now = typeof settings.gpuLayers === 'number' ? Math.min(settings.gpuLayers, layers + 1) : layers + 1
  const most = largest(1, now - 1, (gpuLayers) => fits(needMiB({ gpuLayers })))
  if (most === undefined) return undefined
  const why = `${most} of ${layers + 1} layers on the GPU, the rest in main memory: several times slower`
  return { args: { gpuLayers: most }, count: room.count, mib: needMiB({ gpuLayers: most }), why }
}

/** Another file of the same model, if there is one: not looked for. */
function smallerFile({ model, settings, room, fits }: Question): FitOption | undefined {
  const { leastFileBytes, dataOffset, elements } = model.header
  const bits = elements === 0 ? 0 : ((leastFileBytes - dataOffset) * 8) / elements
  if (bits <= FOUR_BIT + 1) return undefined
  const { mib } = needWith({ ...model, weightBytes: (model.weightBytes * FOUR_BIT) / bits }, settings)
  const why = `an estimate: this one has ${bits.toFixed(1)} bit per weight; answers get a little worse`
  return fits(mib) ? { args: {}, change: 'launch.model: a file of 4 bit per weight (Q4_K_M)', count: room.count, mib, why } : undefined
}

/** The largest whole number from `low` to `high` that will do, where all smaller ones do too. */
function largest(low: number, high: number, does: (value: number) => boolean): number | undefined {
  if (high < low || !does(low)) return undefined
  let [good, bad] = [low, high + 1]
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2)
    if (does(middle)) good = middle
    else bad = middle
  }
  return good
}
