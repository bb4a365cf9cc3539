import type { LaunchPlan, LaunchSlot, NodeSpec } from '@plimsoll/core/plugin'
import { divideGpus, type Parallelism, refuse } from './check-settings.js'
import { portUse, type PortUse } from './port-use.js'
import type { EplbSettings, VllmSettings } from './settings.js'

/** Longest silence of a loading vLLM: reading one shard from a slow disk, compiling a large model. */
const READY_WITHIN_MS = 600_000
/** vLLM's own limit on loading would end a large model that makes good progress; core watches progress instead. */
const ENGINE_READY_TIMEOUT_S = 14_400
/** vLLM closes an idle connection after 5 s; one that `lb` (4 s) or somebody beside it still holds must not be closed under a request. */
const KEEP_ALIVE_S = 75

/** `vllm serve` as this node needs it. Throws LB_BAD_SETTINGS. */
export function launchPlan(spec: NodeSpec<VllmSettings>, slot: LaunchSlot): LaunchPlan {
  const { settings, id } = spec
  const weights = weightsOf(spec)
  const gpus = divideGpus(id, settings, slot.gpus)
  const ports = portUse(settings, slot.extraPorts)
  const names = servedNames(spec)
  const key = spec.apiKey === undefined ? {} : { VLLM_API_KEY: spec.apiKey }
  return {
    command: 'vllm',
    args: [
      'serve',
      weights,
      '--host',
      slot.host,
      '--port',
      String(slot.port),
      ...(names.length === 0 ? [] : ['--served-model-name', ...names]),
      ...engineArguments(settings, gpus),
      ...featureArguments(settings, gpus, ports),
      ...(settings.extraArgs ?? []),
    ],
    env: { ...environment(settings, ports), ...key },
    ...(spec.apiKey === undefined ? {} : { secretEnv: ['VLLM_API_KEY'] }),
    readyWithinMs: READY_WITHIN_MS,
  }
}

/** Adapters have names of their own: one of them as a name of the base would hide it. */
function servedNames({ model, models, settings }: NodeSpec<VllmSettings>): readonly string[] {
  return model === undefined ? models.filter((name) => settings.loras?.[name] === undefined) : [model]
}

function weightsOf({ weights, id }: NodeSpec<VllmSettings>): string {
  if (weights === undefined)
    refuse(id, 'launch.model is missing', 'the weights to load: a Hugging Face name such as Qwen/Qwen3-4B-Instruct-2507, or a folder')
  if (weights.startsWith('-'))
    refuse(id, `launch.model \`${weights}\` would be read as a flag`, 'give a name or a path that does not begin with a dash')
  return weights
}

/** Memory, scheduling and the division of GPUs. */
function engineArguments(settings: VllmSettings, gpus: Parallelism): string[] {
  return [
    ...option('--max-model-len', settings.maxModelLen),
    ...option('--gpu-memory-utilization', settings.gpuMemoryUtilization),
    ...option('--kv-cache-memory-bytes', settings.kvCacheMemoryBytes),
    ...option('--dtype', settings.dtype),
    ...option('--quantization', settings.quantization),
    ...option('--kv-cache-dtype', settings.kvCacheDtype),
    ...option('--block-size', settings.blockSize),
    ...option('--max-num-seqs', settings.maxNumSeqs),
    ...option('--max-num-batched-tokens', settings.maxNumBatchedTokens),
    ...onOff('enable-prefix-caching', settings.prefixCaching),
    ...option('--scheduling-policy', settings.schedulingPolicy),
    ...option('--tensor-parallel-size', gpus.tensor === 1 ? undefined : gpus.tensor),
    ...option('--pipeline-parallel-size', gpus.pipeline === 1 ? undefined : gpus.pipeline),
    ...option('--data-parallel-size', gpus.data === 1 ? undefined : gpus.data),
    ...on('--enable-expert-parallel', settings.expertParallel),
    ...(settings.eplb === undefined ? [] : ['--enable-eplb', '--eplb-config', JSON.stringify(eplbConfig(settings.eplb))]),
    ...on('--enforce-eager', settings.enforceEager),
    ...option('--load-format', settings.loadFormat),
    ...option('--revision', settings.revision),
    ...on('--trust-remote-code', settings.trustRemoteCode),
    ...option('--seed', settings.seed),
  ]
}

function featureArguments(settings: VllmSettings, gpus: Parallelism, ports: PortUse): string[] {
  const { loras = {}, runtimeLoras = false } = settings
  const modules = Object.entries(loras).map(([name, path]) => `${name}=${path}`)
  // Left to itself it starts one API process per data-parallel rank, and an adapter loaded at one of them is unknown to the others.
  const apiServers = settings.apiServerCount ?? (runtimeLoras && gpus.data > 1 ? 1 : undefined)
  return [
    ...on('--enable-lora', modules.length > 0 || runtimeLoras),
    ...(modules.length === 0 ? [] : ['--lora-modules', ...modules]),
    ...option('--max-loras', settings.maxLoras),
    ...option('--max-lora-rank', settings.maxLoraRank),
    ...on('--enable-sleep-mode', settings.sleepMode),
    ...(ports.kvEvents === undefined ? [] : ['--kv-events-config', JSON.stringify(kvEventsConfig(ports.kvEvents))]),
    ...(settings.kvTransfer === undefined ? [] : ['--kv-transfer-config', JSON.stringify(settings.kvTransfer)]),
    ...option('--data-parallel-rpc-port', ports.dataParallelRpc),
    ...option('--chat-template', settings.chatTemplate),
    ...(settings.toolCallParser === undefined ? [] : ['--enable-auto-tool-choice', '--tool-call-parser', settings.toolCallParser]),
    ...option('--reasoning-parser', settings.reasoningParser),
    ...on('--enable-prompt-tokens-details', settings.promptTokensDetails),
    ...option('--shutdown-timeout', settings.shutdownTimeout),
    ...option('--api-server-count', apiServers),
  ]
}

function eplbConfig({ windowSize, stepInterval, redundantExperts, async, logBalancedness }: EplbSettings): Record<string, unknown> {
  return {
    window_size: windowSize,
    step_interval: stepInterval,
    num_redundant_experts: redundantExperts,
    use_async: async,
    log_balancedness: logBalancedness,
  }
}

/**
 * An endpoint without `*` or `::` makes vLLM's publisher connect, and us listen: on loopback, where an endpoint to bind would have to be all
 * interfaces, with the tokens of every prompt on it. The replay endpoint always binds.
 */
function kvEventsConfig(ports: { readonly events: number; readonly replay: number }): Record<string, unknown> {
  return {
    enable_kv_cache_events: true,
    publisher: 'zmq',
    endpoint: `tcp://127.0.0.1:${ports.events}`,
    replay_endpoint: `tcp://127.0.0.1:${ports.replay}`,
    topic: '',
  }
}

function environment(settings: VllmSettings, ports: PortUse): Record<string, string> {
  return {
    // Otherwise the workers' rendezvous listens on the machine's outer address.
    VLLM_HOST_IP: '127.0.0.1',
    VLLM_ENGINE_READY_TIMEOUT_S: String(ENGINE_READY_TIMEOUT_S),
    VLLM_HTTP_TIMEOUT_KEEP_ALIVE: String(KEEP_ALIVE_S),
    // The log is read line by line while it loads.
    PYTHONUNBUFFERED: '1',
    ...(settings.sleepMode === true ? { VLLM_SERVER_DEV_MODE: '1' } : {}),
    ...(settings.runtimeLoras === true ? { VLLM_ALLOW_RUNTIME_LORA_UPDATING: '1' } : {}),
    ...(ports.sideChannel === undefined
      ? {}
      : { VLLM_NIXL_SIDE_CHANNEL_HOST: '127.0.0.1', VLLM_NIXL_SIDE_CHANNEL_PORT: String(ports.sideChannel) }),
  }
}

function option(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [name, String(value)]
}

function on(name: string, wanted: boolean | undefined): string[] {
  return wanted === true ? [name] : []
}

function onOff(name: string, wanted: boolean | undefined): string[] {
  return wanted === undefined ? [] : [wanted ? `--${name}` : `--no-${name}`]
}
