import type { FitOption, MemoryRoom, NodeSpec } from '@plimsoll/core/plugin'
import { type ModelOnDisk, modelOnDisk, needWith, USUAL_UTILIZATION } from './memory-need.js'
import type { VllmSettings } from './settings.js'

const MOST_OPTIONS = 4
const STEP_TOKENS = 1024
const TENSOR_PARALLEL = [2, 4, 8, 16]
/** Weights of 4 bit with their scales, as a part of 16 bit. */
const FOUR_BIT = 0.3

/** What is known where options are looked for. */
interface Question {
  readonly model: ModelOnDisk
  readonly settings: VllmSettings
  /** Cards of one instance as it stands. */
  readonly count: number
  readonly needMiB: (args: VllmSettings) => number
  /** Whether it fits into what vLLM would take of each of so many cards. */
  readonly fits: (mib: number, count?: number) => boolean
}

/** Cards that share each layer, a KV cache of 8 bit, a shorter context, smaller weights: in this order, what fits of it. No other repository is looked for. */
export function fitOptions(spec: NodeSpec<VllmSettings>, room: MemoryRoom): readonly FitOption[] {
  const { settings } = spec
  const model = room.kind === 'main' ? undefined : modelOnDisk(spec)
  if (model === undefined) return []
  const { tensorParallel, pipelineParallel = 1, dataParallel = 1, gpuMemoryUtilization = USUAL_UTILIZATION } = settings
  // Unless told, it takes all the cards that it gets.
  const count = tensorParallel === undefined ? room.count : tensorParallel * pipelineParallel * dataParallel
  const share = settings.kvCacheMemoryBytes === undefined ? gpuMemoryUtilization : 1
  const question: Question = {
    model,
    settings,
    count,
    needMiB: (args) => needWith(model, { ...settings, ...args }).mib,
    fits: (mib, cards = count) => mib / cards <= (room.freeMiB[cards - 1] ?? 0) * share,
  }
  const ways = [moreGpus, smallerKv, shorterContext, fp8Weights, fourBit]
  return ways.flatMap((way) => way(question) ?? []).slice(0, MOST_OPTIONS)
}

/** The smallest division that fits; all GPUs hold the same share of the attention heads. */
function moreGpus({ model: { figures }, settings, count, needMiB, fits }: Question): FitOption | undefined {
  const { pipelineParallel = 1, dataParallel = 1 } = settings
  for (const tensorParallel of TENSOR_PARALLEL) {
    const cards = tensorParallel * pipelineParallel * dataParallel
    if (cards <= count || figures.heads === undefined || figures.heads % tensorParallel !== 0) continue
    const args = { tensorParallel }
    const mib = needMiB(args)
    if (fits(mib, cards)) return { args, count: cards, mib, why: `takes ${cards} GPUs instead of ${count}; answers stay as they are` }
  }
  return undefined
}

function smallerKv({ settings, count, needMiB, fits }: Question): FitOption | undefined {
  if (settings.kvCacheDtype?.startsWith('fp8') === true || settings.kvCacheMemoryBytes !== undefined) return undefined
  const args = { kvCacheDtype: 'fp8' }
  const mib = needMiB(args)
  const why = 'half the KV cache; answers get a very little worse, and not every GPU and attention backend has it'
  return fits(mib) ? { args, count, mib, why } : undefined
}

function shorterContext({ model, settings, count, needMiB, fits }: Question): FitOption | undefined {
  const now = settings.maxModelLen ?? model.figures.contextTokens
  if (now === undefined || settings.kvCacheMemoryBytes !== undefined) return undefined
  const argsOf = (steps: number) => ({ maxModelLen: steps * STEP_TOKENS })
  const most = largest(Math.ceil(now / STEP_TOKENS) - 1, (steps) => fits(needMiB(argsOf(steps))))
  if (most === undefined) return undefined
  const args = argsOf(most)
  return { args, count, mib: needMiB(args), why: `instead of ${now}; longer prompts are refused` }
}

/** vLLM makes them while it loads, from the same files; with a smaller KV cache where that alone does not do. */
function fp8Weights({ model, settings, count, needMiB, fits }: Question): FitOption | undefined {
  if (isSmall(model, settings)) return undefined
  const smaller = settings.kvCacheMemoryBytes === undefined ? [{ quantization: 'fp8', kvCacheDtype: 'fp8' }] : []
  const args = [{ quantization: 'fp8' }, ...smaller].find((each) => fits(needMiB(each)))
  const why =
    'an estimate: 8 bit weights, made while it loads; answers get a little worse, and a vLLM that reads all before it makes them needs the whole for a moment'
  return args === undefined ? undefined : { args, count, mib: needMiB(args), why }
}

function fourBit({ model, settings, count, fits }: Question): FitOption | undefined {
  if (isSmall(model, settings)) return undefined
  const { mib } = needWith({ ...model, weightBytes: model.weightBytes * FOUR_BIT }, settings)
  const change = 'launch.model: a checkpoint of 4 bit (AWQ, GPTQ)'
  return fits(mib) ? { args: {}, change, count, mib, why: 'an estimate; not looked for; answers get worse' } : undefined
}

function isSmall({ figures }: ModelOnDisk, { quantization }: VllmSettings): boolean {
  return figures.isQuantised || quantization !== undefined
}

/** The largest number from 1 to `high` that will do, where all smaller ones do too. */
function largest(high: number, does: (value: number) => boolean): number | undefined {
  if (high < 1 || !does(1)) return undefined
  let [good, bad] = [1, high + 1]
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2)
    if (does(middle)) good = middle
    else bad = middle
  }
  return good
}
