import type { JsonSchema } from '@plimsoll/core/plugin'

/** `launch.args` of a node, after defaults; `{}` for attached ones, which are run as somebody else decided. */
export interface OllamaSettings {
  readonly modelsDir?: string
  readonly parallel: number
  readonly maxLoadedModels?: number
  readonly maxQueue?: number
  readonly keepAlive: string | number
  readonly contextTokens?: number
  readonly flashAttention?: boolean
  readonly kvCacheType?: 'f16' | 'q8_0' | 'q4_0'
  readonly spread?: boolean
  readonly gpuOverheadMiB?: number
  readonly loadTimeout: string | number
  readonly pull: 'missing' | 'never' | 'always'
  readonly preload: boolean
  readonly noPrune: boolean
  readonly cloud: boolean
}

/** What counts where a topology says nothing. */
export const defaults = {
  parallel: 4,
  keepAlive: -1,
  loadTimeout: '10m',
  pull: 'missing',
  preload: true,
  noPrune: true,
  cloud: false,
} as const

const count = (description: string, minimum = 1) => ({ type: 'integer', minimum, description })

/** As Go writes durations (`5m`, `1h30m`), or whole seconds; negative is for ever. */
const goDuration = '^-?\\d+$|^-?(\\d+(\\.\\d+)?(ns|us|ms|s|m|h))+$'

/** JSON Schema of `launch.args`. Each one becomes a variable of `ollama serve`, but for pull and preload, which are ours. */
export const settings: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    modelsDir: {
      type: 'string',
      pattern: '^/',
      description:
        'Folder of the models (OLLAMA_MODELS), absolute; ${HOME} stands for your own. Default ~/.ollama/models. Several nodes may share one.',
    },
    parallel: {
      ...count(
        "Requests that a model works on at once (OLLAMA_NUM_PARALLEL). Ollama's own default is 1: every other request waits where nobody sees it. Memory for context grows with it.",
      ),
      maximum: 1024,
      default: defaults.parallel,
    },
    maxLoadedModels: count('Models in memory at once (OLLAMA_MAX_LOADED_MODELS). Default: three for each GPU, three without.'),
    maxQueue: count(
      'Requests that may wait for a load (OLLAMA_MAX_QUEUE). Default 512. Those that wait for a loaded model are not counted.',
    ),
    keepAlive: {
      type: ['string', 'integer'],
      pattern: goDuration,
      default: defaults.keepAlive,
      description: 'How long an idle model stays in memory (OLLAMA_KEEP_ALIVE): 30m, seconds, or -1 for as long as there is room.',
    },
    contextTokens: count(
      'Longest prompt with its answer (OLLAMA_CONTEXT_LENGTH). Default: by GPU memory, 4096 below 23 GiB, 32768 below 47 GiB, else 262144. Longer prompts are cut in silence.',
      256,
    ),
    flashAttention: {
      type: 'boolean',
      description: 'OLLAMA_FLASH_ATTENTION. Default: as Ollama thinks best; on where kvCacheType is quantised.',
    },
    kvCacheType: { enum: ['f16', 'q8_0', 'q4_0'], description: 'Precision of the KV cache (OLLAMA_KV_CACHE_TYPE). Default f16.' },
    spread: { type: 'boolean', description: 'Spread a model over all GPUs instead of as few as hold it (OLLAMA_SCHED_SPREAD).' },
    gpuOverheadMiB: count('Memory to leave free on each GPU (OLLAMA_GPU_OVERHEAD).', 0),
    loadTimeout: {
      type: ['string', 'integer'],
      pattern: goDuration,
      default: defaults.loadTimeout,
      description: 'How long a load may stand still (OLLAMA_LOAD_TIMEOUT); 0 is for ever.',
    },
    pull: {
      enum: ['missing', 'never', 'always'],
      default: defaults.pull,
      description:
        'Whether a start fetches the model: when it is not there, never, or each time, which brings a newer one of the same name.',
    },
    preload: {
      type: 'boolean',
      default: defaults.preload,
      description: 'Load the model before the node counts as ready. Off: the first request loads it, and waits.',
    },
    noPrune: {
      type: 'boolean',
      default: defaults.noPrune,
      description:
        'Keep files that no model names (OLLAMA_NOPRUNE). Off, a starting server deletes what another one that shares the folder is just pulling.',
    },
    cloud: {
      type: 'boolean',
      default: defaults.cloud,
      description: "Allow models that run on Ollama's machines instead of here (off: OLLAMA_NO_CLOUD).",
    },
  },
}

/** Milliseconds of a Go duration or of whole seconds; zero and less, which mean for ever, are undefined. */
export function goDurationMs(value: string | number): number | undefined {
  const text = String(value)
  const ms = /^-?\d+$/.test(text) ? Number(text) * 1000 : partsOf(text).reduce((sum, part) => sum + part, 0)
  return text.startsWith('-') || ms <= 0 ? undefined : ms
}

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

function partsOf(text: string): number[] {
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)].map((part) => Number(part[1]) * (unitMs[part[2] ?? ''] ?? 0))
}

/** How a request says it: a number is seconds. As a text, `-1` is no Go duration and would be refused, though the variable takes it. */
export function keepAliveOf(value: string | number): string | number {
  return /^-?\d+$/.test(String(value)) ? Number(value) : value
}
