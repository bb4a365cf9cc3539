import { type LaunchSlot, LbError } from '@plimsoll/core/plugin'
import type { VllmSettings } from './settings.js'

/** How the GPUs of one instance are divided. */
export interface Parallelism {
  readonly tensor: number
  readonly pipeline: number
  readonly data: number
}

/** What must hold whatever GPUs the node gets. Throws LB_BAD_SETTINGS. */
export function checkSettings(nodeId: string, settings: VllmSettings): void {
  const { eplb, expertParallel, runtimeLoras, apiServerCount = 1, dataParallel = 1, kvEvents, extraArgs = [] } = settings
  const bad = (message: string, hint: string) => refuse(nodeId, message, hint)
  if (eplb !== undefined && expertParallel !== true) bad('eplb needs expertParallel: true', 'set expertParallel: true, or leave eplb out')
  if (runtimeLoras === true && apiServerCount > 1)
    bad(
      'runtimeLoras and apiServerCount over 1 exclude each other',
      'leave apiServerCount out: an adapter would be known to one process only',
    )
  if (settings.maxLoras !== undefined && settings.loras === undefined && runtimeLoras !== true)
    bad('maxLoras without adapters', 'name them under loras, or set runtimeLoras: true')
  if (kvEvents === true && dataParallel > 1)
    bad('kvEvents works for dataParallel: 1 only', 'make one replica per rank: each has a cache and a port of its own')
  if (kvEvents === true && settings.prefixCaching === false)
    bad('kvEvents without prefixCaching would tell nothing', 'leave prefixCaching out, or kvEvents')
  for (const name of extraArgs.map((arg) => arg.split('=')[0] ?? '')) {
    const key = OWNED_FLAGS[name]
    if (key !== undefined) bad(`extraArgs may not hold ${name}`, key)
  }
}

/** Tensor parallelism takes all GPUs that the other two leave. Throws LB_BAD_SETTINGS where they do not come out even. */
export function divideGpus(nodeId: string, settings: VllmSettings, gpus: LaunchSlot['gpus']): Parallelism {
  const { pipelineParallel: pipeline = 1, dataParallel: data = 1 } = settings
  // Undefined: nobody chose; empty: no GPU, the CPU build of vLLM.
  const given = gpus === undefined || gpus.length === 0 ? undefined : gpus.length
  const tensor = settings.tensorParallel ?? (given === undefined ? 1 : Math.max(1, Math.floor(given / (pipeline * data))))
  const wanted = tensor * pipeline * data
  if (given !== undefined && wanted !== given) {
    const product = `tensorParallel ${tensor} × pipelineParallel ${pipeline} × dataParallel ${data} = ${wanted}`
    refuse(
      nodeId,
      `${product}, but the node has ${given} GPU${given === 1 ? '' : 's'}`,
      'set gpus of the node to that number, or change the product',
    )
  }
  if (gpus !== undefined && gpus.length > 1 && gpus.some((gpu) => gpu.migProfile !== undefined))
    refuse(nodeId, 'MIG slices cannot work together', 'one slice per node: a CUDA process sees one only')
  if (settings.eplb !== undefined && tensor * data === 1)
    refuse(
      nodeId,
      'eplb has one GPU, and nothing to balance',
      'give the node several GPUs (gpus, tensorParallel or dataParallel), or leave eplb out',
    )
  return { tensor, pipeline, data }
}

/** Flags that the plan sets itself: a second one would quietly win. */
const OWNED_FLAGS: Readonly<Record<string, string>> = {
  '--host': 'engines listen on 127.0.0.1 only',
  '--port': 'lb chooses the port',
  '--uds': 'lb chooses the port',
  '--api-key': 'set apiKey of the node: a key on a command line can be read by everyone on the machine',
  '--served-model-name': 'it follows from models and model of the node',
  '--disable-log-stats': 'without statistics /metrics is empty, and lb sees no load',
  '--root-path': 'lb asks at the root',
}

export function refuse(nodeId: string, message: string, hint: string): never {
  throw new LbError(`${nodeId}: ${message}`, { code: 'LB_BAD_SETTINGS', source: 'operator', hint })
}
