import type { Gpu, NodeSpec } from '@plimsoll/core/plugin'
import type { VllmSettings } from './settings.js'

export const weights = 'Qwen/Qwen3-4B'

/** A launched node. */
export function specOf(settings: VllmSettings = {}, more: Partial<NodeSpec<VllmSettings>> = {}): NodeSpec<VllmSettings> {
  return { id: 'chat/gpu', url: 'http://127.0.0.1:18400', models: ['qwen3-4b'], settings, weights, ...more }
}

/** An attached one. */
export function attachedSpec(url: string, more: Partial<NodeSpec<VllmSettings>> = {}): NodeSpec<VllmSettings> {
  return { id: 'chat/gpu', url, models: ['m'], settings: {}, ...more }
}

export function gpu(index: number, more: Partial<Gpu> = {}): Gpu {
  return {
    vendor: 'nvidia',
    index,
    uuid: `GPU-${index}`,
    pciBusId: null,
    name: 'NVIDIA H100 80GB HBM3',
    memTotalMiB: 81_559,
    memFreeMiB: 81_000,
    utilization: 0,
    temperatureC: null,
    unified: false,
    ...more,
  }
}

/** Shape from vLLM's source at 5eaa70dac; not recorded from a running server. */
export const modelCard = (id: string, more: object = {}) => ({
  id,
  object: 'model',
  created: 1,
  owned_by: 'vllm',
  root: weights,
  parent: null,
  max_model_len: 8192,
  permission: [],
  ...more,
})

export const modelList = (...cards: object[]) => JSON.stringify({ object: 'list', data: cards })
