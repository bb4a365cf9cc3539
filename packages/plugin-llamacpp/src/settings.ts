import type { JsonSchema } from '@plimsoll/core/plugin'

/** A LoRA adapter that is read at the start; llama-server can load none later. */
export interface LoraSetting {
  readonly path: string
  readonly scale: number
}

/** Router mode: one llama-server in front of one child process per model. */
export interface RouterSettings {
  readonly modelsDir?: string
  readonly modelsPreset?: string
  readonly maxModels?: number
  readonly autoload: boolean
}

/** `launch.args` of a llama-server; `{}` for attached ones, which is how the two are told apart: a launched one always says `metrics`. */
export interface LlamacppSettings {
  readonly contextTokens?: number
  readonly slots?: number
  readonly unifiedKv?: boolean
  readonly gpuLayers?: number | 'auto' | 'all'
  readonly splitMode?: 'none' | 'layer' | 'row' | 'tensor'
  readonly tensorSplit?: readonly number[]
  readonly mainGpu?: number
  readonly flashAttention?: 'on' | 'off' | 'auto'
  readonly kvTypeK?: KvType
  readonly kvTypeV?: KvType
  readonly batchTokens?: number
  readonly microBatchTokens?: number
  readonly threads?: number
  readonly cacheReuse?: number
  readonly cacheRamMiB?: number
  readonly slotSavePath?: string
  readonly slotPromptSimilarity?: number
  readonly loras?: readonly LoraSetting[]
  readonly embeddings?: boolean
  readonly rerank?: boolean
  readonly pooling?: 'none' | 'mean' | 'cls' | 'last' | 'rank'
  readonly mmproj?: string
  readonly jinja?: boolean
  readonly chatTemplate?: string
  readonly chatTemplateFile?: string
  readonly sleepIdle?: number
  readonly offline?: boolean
  readonly metrics?: boolean
  readonly router?: RouterSettings
  readonly extraArgs?: readonly string[]
}

const kvTypes = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0', 'q4_1', 'iq4_nl', 'q5_0', 'q5_1'] as const
export type KvType = (typeof kvTypes)[number]

const count = (description: string, minimum = 1) => ({ type: 'integer', minimum, maximum: 2_147_483_647, description })
const share = (description: string, maximum = 1) => ({ type: 'number', minimum: 0, maximum, description })
const flag = (description: string) => ({ type: 'boolean', description })
const word = (description: string) => ({ type: 'string', minLength: 1, maxLength: 4096, description })
const file = (description: string) => ({
  ...word(`${description} An absolute path.`),
  pattern: '^/',
  errorMessage: 'an absolute path; ${HOME} may stand at its start',
})

/** `--port` and the like are set by lb; a doubled one would win in silence. llama-server reads `_` in long names as `-`. */
const ownFlags = 'host|port|api[-_]key|api[-_]key[-_]file|api[-_]prefix|model|alias|hf[-_]repo|ssl[-_]key[-_]file|ssl[-_]cert[-_]file'

const extraArg = {
  ...word('A part of the command line.'),
  pattern: `^(?!--(${ownFlags})$)(?!-(m|a|hf|hfr)$)(?!--[^=\\s]+=)`,
  errorMessage:
    'a part as llama-server wants it: the value of a flag is a part of its own (it knows no --flag=value), and --host, --port, -m, -a, -hf, --api-key, --api-prefix and --ssl-* are set by lb',
}

const lora = {
  type: 'object',
  additionalProperties: false,
  required: ['path'],
  properties: {
    path: {
      ...file('The adapter, a GGUF file; no comma and no colon in it, llama-server splits there.'),
      pattern: '^/[^,:]*$',
      errorMessage: 'an absolute path without comma and colon',
    },
    scale: {
      type: 'number',
      default: 1,
      description: 'How strongly it applies, always said: --lora-init-without-apply did not keep it at 0.',
    },
  },
}

const router = {
  type: 'object',
  additionalProperties: false,
  description: 'Router mode: several models, one child process each; then there is no launch.model.',
  properties: {
    modelsDir: file('Folder of the models.'),
    modelsPreset: file('INI file with one section per model.'),
    maxModels: { ...count('Models in memory at once (0: no limit); the least recently used one goes.', 0), default: 4 },
    autoload: { ...flag('A request for a model that is not in memory loads it.'), default: true },
  },
}

/** JSON Schema of `launch.args`. */
export const settings: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    contextTokens: count('Context of all slots together (-c). With `slots` given, each gets its share; without, they share one pool.'),
    slots: count('Requests that run at once (-np). Absent: four that share one pool of context.'),
    unifiedKv: flag('One pool of context for all slots (-kvu), or a fixed share for each (-no-kvu).'),
    gpuLayers: {
      anyOf: [count('Layers on the GPUs.', 0), { enum: ['auto', 'all'] }],
      description: 'Layers on the GPUs (-ngl): a number, auto or all.',
      errorMessage: 'a number of layers, auto or all',
    },
    splitMode: { enum: ['none', 'layer', 'row', 'tensor'], description: 'How several GPUs share the model (-sm).' },
    tensorSplit: {
      type: 'array',
      minItems: 1,
      maxItems: 128,
      items: share('Share of one GPU.', 1e6),
      description: 'Shares of the GPUs, in the order that this node sees them (-ts).',
    },
    mainGpu: count('The GPU for what is not split (-mg), counted among those that this node sees.', 0),
    flashAttention: { enum: ['on', 'off', 'auto'], description: 'Flash attention (-fa).' },
    kvTypeK: { enum: kvTypes, description: 'Type of the keys in the KV cache (-ctk).' },
    kvTypeV: { enum: kvTypes, description: 'Type of the values in the KV cache (-ctv).' },
    batchTokens: count('Tokens of one batch (-b); a long prompt holds up running answers for one batch.'),
    microBatchTokens: count('Tokens computed at once (-ub).'),
    threads: count('Threads (-t).'),
    cacheReuse: count('Least run of tokens that is taken over from further back in a cached prompt (--cache-reuse).', 0),
    cacheRamMiB: count(
      'Main memory for prompts that left their slot (--cache-ram): llama-server takes 8192 unless told; 0: none, -1: any.',
      -1,
    ),
    slotSavePath: file('Folder for saved slots (--slot-save-path).'),
    slotPromptSimilarity: share('Least equal share of a prompt to choose a slot for it (-sps).'),
    loras: { type: 'array', maxItems: 64, items: lora, description: 'LoRA adapters (--lora-scaled).' },
    embeddings: flag('Serve embeddings (--embeddings).'),
    rerank: flag('Serve reranking (--rerank).'),
    pooling: { enum: ['none', 'mean', 'cls', 'last', 'rank'], description: 'Pooling of embeddings.' },
    mmproj: file('Projector of a multimodal model (--mmproj).'),
    jinja: flag("The model's own chat template (--jinja), or not (--no-jinja)."),
    chatTemplate: word('A built-in chat template, or the text of one.'),
    chatTemplateFile: file('A file with a chat template.'),
    sleepIdle: count('Seconds without a request after which it gives its memory back (--sleep-idle-seconds).'),
    offline: flag('Take models from the cache alone (--offline).'),
    metrics: { ...flag('Serve /metrics (--metrics): running and waiting requests are read from there.'), default: true },
    router,
    extraArgs: { type: 'array', maxItems: 256, items: extraArg, description: 'Anything else, as it stands on the command line.' },
  },
}
