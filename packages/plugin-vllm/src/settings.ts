import type { JsonSchema } from '@plimsoll/core/plugin'

/** `launch.args` after defaults. What is absent is vLLM's own default, whatever its version says. */
export interface VllmSettings {
  readonly maxModelLen?: number
  readonly gpuMemoryUtilization?: number
  readonly kvCacheMemoryBytes?: number
  readonly dtype?: string
  readonly quantization?: string
  readonly kvCacheDtype?: string
  readonly blockSize?: number
  readonly maxNumSeqs?: number
  readonly maxNumBatchedTokens?: number
  readonly prefixCaching?: boolean
  readonly schedulingPolicy?: 'fcfs' | 'priority'
  readonly tensorParallel?: number
  readonly pipelineParallel?: number
  readonly dataParallel?: number
  readonly expertParallel?: boolean
  readonly eplb?: EplbSettings
  readonly loras?: Readonly<Record<string, string>>
  readonly maxLoras?: number
  readonly maxLoraRank?: number
  readonly runtimeLoras?: boolean
  readonly sleepMode?: boolean
  readonly kvEvents?: boolean
  readonly kvTransfer?: Readonly<Record<string, unknown>>
  readonly enforceEager?: boolean
  readonly loadFormat?: string
  readonly revision?: string
  readonly trustRemoteCode?: boolean
  readonly chatTemplate?: string
  readonly toolCallParser?: string
  readonly reasoningParser?: string
  readonly promptTokensDetails?: boolean
  /** Seconds. */
  readonly shutdownTimeout?: number
  readonly apiServerCount?: number
  readonly seed?: number
  readonly extraArgs?: readonly string[]
}

/** Spreads copies of busy experts over the ranks of a mixture of experts. */
export interface EplbSettings {
  readonly windowSize?: number
  readonly stepInterval?: number
  readonly redundantExperts?: number
  readonly async?: boolean
  readonly logBalancedness?: boolean
}

const count = (description: string, minimum = 1) => ({ type: 'integer', minimum, description })
const flag = (description: string) => ({ type: 'boolean', description })
const word = (description: string) => ({ type: 'string', minLength: 1, description })

const eplb = {
  type: 'object',
  additionalProperties: false,
  description: 'Balances the experts of a mixture of experts over the GPUs; needs expertParallel.',
  properties: {
    windowSize: count('Steps whose load is looked at (--eplb-config window_size).'),
    stepInterval: count('Steps between two rearrangements.'),
    redundantExperts: count('Copies of experts beside the originals, over all GPUs together.', 0),
    async: flag('Moves weights beside the computing.'),
    logBalancedness: flag('Writes the balance of each step to the log.'),
  },
}

/** JSON Schema of `launch.args`: vLLM's flags that a load balancer has to do with. Any other goes through `extraArgs`. */
export const settings: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    maxModelLen: count('Longest prompt with its answer, in tokens (--max-model-len).'),
    gpuMemoryUtilization: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'Share of each whole card that this instance takes (--gpu-memory-utilization); two on one card share it by hand.',
    },
    kvCacheMemoryBytes: count('Bytes of each card for the KV cache; gpuMemoryUtilization is then not asked (--kv-cache-memory-bytes).'),
    dtype: word('Type of the weights in memory: auto, bfloat16, float16, float32.'),
    quantization: word('How the weights are quantised: fp8, awq, gptq, bitsandbytes; read from the model by default.'),
    kvCacheDtype: word('Type of the KV cache: auto, fp8.'),
    blockSize: count('Tokens in one KV block (--block-size).'),
    maxNumSeqs: count('Requests that run at once (--max-num-seqs).'),
    maxNumBatchedTokens: count('Token budget of one step (--max-num-batched-tokens).'),
    prefixCaching: flag('Keeps the KV cache of prompts for the next request that begins alike.'),
    schedulingPolicy: { enum: ['fcfs', 'priority'], description: 'With `priority`, requests may carry one.' },
    tensorParallel: count('GPUs that share each layer; all that the node has, by default.'),
    pipelineParallel: count('GPUs that share the layers one after another.'),
    dataParallel: count('Copies of the model behind the one port.'),
    expertParallel: flag('Spreads the experts of a mixture of experts over the GPUs instead of cutting each.'),
    eplb,
    loras: {
      type: 'object',
      propertyNames: { pattern: '^[^=\\s]+$' },
      additionalProperties: word('Folder or repository of the adapter.'),
      description: 'Adapters to load at the start: name to path. Clients ask for them by name, as a model.',
    },
    maxLoras: count('Adapters in one batch (--max-loras).'),
    maxLoraRank: count('Highest rank of an adapter (--max-lora-rank).'),
    runtimeLoras: flag('Adapters may be loaded and unloaded while it runs. Whoever reaches the port can do it.'),
    sleepMode: flag('It can give its GPU memory back while idle. Opens vLLM’s development routes on its loopback port.'),
    kvEvents: flag('Tells which prompts it holds in its cache, on two further loopback ports.'),
    kvTransfer: { type: 'object', description: '--kv-transfer-config, as an object: prefill and decode on separate nodes, KV stores.' },
    enforceEager: flag('No compilation and no CUDA graphs: starts fast, runs slower.'),
    loadFormat: word('How weights are read: auto, safetensors, dummy (random weights), runai_streamer, tensorizer.'),
    revision: word('Branch, tag or commit of the model’s repository.'),
    trustRemoteCode: flag('Runs Python code that comes with the model.'),
    chatTemplate: word('File with the chat template, where the model’s own is not wanted.'),
    toolCallParser: word('Reads tool calls out of answers; also turns automatic tool choice on.'),
    reasoningParser: word('Reads reasoning out of answers.'),
    promptTokensDetails: {
      type: 'boolean',
      default: true,
      description: 'Usage says how many prompt tokens came from the cache.',
    },
    shutdownTimeout: count('Seconds that running requests get after the stop signal; vLLM of 2026-03 or newer.', 0),
    apiServerCount: count('Processes that speak HTTP.'),
    seed: { type: 'integer', description: 'Seed of the random numbers.' },
    extraArgs: { type: 'array', items: { type: 'string' }, description: 'Further arguments of `vllm serve`, as they are.' },
  },
}
