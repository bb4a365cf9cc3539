import { isLbError, type LaunchSlot } from '@plimsoll/core/plugin'
import { fetchingHost } from '@plimsoll/testkit'
import { describe, expect, it } from 'vitest'
import { plugin } from './index.js'
import { gpu, specOf } from './node-spec.test.fixture.js'
import type { VllmSettings } from './settings.js'

const slot: LaunchSlot = { host: '127.0.0.1', port: 18_400, replica: 0, extraPorts: [18_401, 18_402, 18_403] }

function plan(settings: VllmSettings = {}, more: Partial<LaunchSlot> = {}, spec: Parameters<typeof specOf>[1] = {}) {
  return plugin.createBackend(specOf(settings, spec), fetchingHost).launchPlan!({ ...slot, ...more })
}

const after = (args: readonly string[], flag: string) => args[args.indexOf(flag) + 1]

describe('the command line of vLLM', () => {
  it('is short where nothing is asked for', () => {
    expect(plan()).toMatchObject({
      command: 'vllm',
      args: ['serve', 'Qwen/Qwen3-4B', '--host', '127.0.0.1', '--port', '18400', '--served-model-name', 'qwen3-4b'],
    })
  })

  it('names the model as this node is asked for it', () => {
    expect(plan({}, {}, { models: ['a', 'b'] }).args.slice(-3)).toEqual(['--served-model-name', 'a', 'b'])
    expect(plan({}, {}, { models: ['a', 'b'], model: 'c' }).args.slice(-2)).toEqual(['--served-model-name', 'c'])
  })

  it('turns settings into flags', () => {
    const { args } = plan({
      maxModelLen: 8192,
      gpuMemoryUtilization: 0.85,
      kvCacheMemoryBytes: 1_000_000,
      prefixCaching: false,
      enforceEager: true,
      toolCallParser: 'hermes',
      promptTokensDetails: true,
      shutdownTimeout: 30,
      extraArgs: ['--disable-uvicorn-access-log'],
    })
    expect(args.join(' ')).toContain(
      '--max-model-len 8192 --gpu-memory-utilization 0.85 --kv-cache-memory-bytes 1000000 --no-enable-prefix-caching --enforce-eager',
    )
    expect(args.join(' ')).toContain(
      '--enable-auto-tool-choice --tool-call-parser hermes --enable-prompt-tokens-details --shutdown-timeout 30',
    )
    expect(args.at(-1)).toBe('--disable-uvicorn-access-log')
  })

  it('never shows the key', () => {
    const made = plan({}, {}, { apiKey: 'sekret' })
    expect(made.args.join(' ')).not.toContain('sekret')
    expect(made.env['VLLM_API_KEY']).toBe('sekret')
    expect(made.secretEnv).toEqual(['VLLM_API_KEY'])
  })

  it('leaves the names of adapters to the adapters', () => {
    const args = plan({ loras: { sql: '/l/sql' } }, {}, { models: ['qwen3-4b', 'sql'] }).args.join(' ')
    expect(args).toContain('--served-model-name qwen3-4b --enable-lora')
    expect(plan({ loras: { sql: '/l/sql' } }, {}, { models: ['sql'] }).args).not.toContain('--served-model-name')
  })

  it('keeps its inner sockets on loopback, and sets no base for inner ports', () => {
    const { env } = plan()
    expect(env).toMatchObject({ VLLM_HOST_IP: '127.0.0.1', VLLM_ENGINE_READY_TIMEOUT_S: '14400', VLLM_HTTP_TIMEOUT_KEEP_ALIVE: '75' })
    expect(env).not.toHaveProperty('VLLM_PORT')
    expect(env).not.toHaveProperty('VLLM_SERVER_DEV_MODE')
  })

  it('opens the development routes for sleeping only', () => {
    const { args, env } = plan({ sleepMode: true })
    expect(args).toContain('--enable-sleep-mode')
    expect(env['VLLM_SERVER_DEV_MODE']).toBe('1')
  })

  it('shares the GPUs that it is given', () => {
    expect(after(plan({}, { gpus: [0, 1, 2, 3].map((index) => gpu(index)) }).args, '--tensor-parallel-size')).toBe('4')
    const args = plan({ dataParallel: 2 }, { gpus: [0, 1, 2, 3].map((index) => gpu(index)) }).args
    expect(after(args, '--tensor-parallel-size')).toBe('2')
    expect(after(args, '--data-parallel-rpc-port')).toBe('18401')
  })

  it('balances experts', () => {
    const eplb = { windowSize: 500, stepInterval: 2000, redundantExperts: 8, async: true, logBalancedness: true }
    const { args } = plan({ expertParallel: true, eplb }, { gpus: [gpu(0), gpu(1)] })
    expect(args).toContain('--enable-expert-parallel')
    expect(args).toContain('--enable-eplb')
    expect(JSON.parse(after(args, '--eplb-config') ?? '')).toEqual({
      window_size: 500,
      step_interval: 2000,
      num_redundant_experts: 8,
      use_async: true,
      log_balancedness: true,
    })
  })

  it('loads adapters, and keeps one API process where they may change', () => {
    const { args, env } = plan({
      loras: { sql: '/l/sql', de: 'org/de' },
      maxLoras: 2,
      runtimeLoras: true,
      dataParallel: 2,
      tensorParallel: 1,
    })
    expect(args.join(' ')).toContain('--enable-lora --lora-modules sql=/l/sql de=org/de --max-loras 2')
    expect(after(args, '--api-server-count')).toBe('1')
    expect(env['VLLM_ALLOW_RUNTIME_LORA_UPDATING']).toBe('1')
  })

  it('has its cache events come to a loopback port: an endpoint to bind would be all interfaces', () => {
    const { args } = plan({ kvEvents: true })
    expect(JSON.parse(after(args, '--kv-events-config') ?? '')).toEqual({
      enable_kv_cache_events: true,
      publisher: 'zmq',
      endpoint: 'tcp://127.0.0.1:18401',
      replay_endpoint: 'tcp://127.0.0.1:18402',
      topic: '',
    })
  })

  it('gives NIXL a port of its own', () => {
    const settings = { kvEvents: true, kvTransfer: { kv_connector: 'NixlConnector', kv_role: 'kv_both' } }
    expect(plugin.createBackend(specOf(settings), fetchingHost).extraPorts).toBe(3)
    const { args, env } = plan(settings)
    expect(JSON.parse(after(args, '--kv-transfer-config') ?? '')).toEqual(settings.kvTransfer)
    expect(env).toMatchObject({ VLLM_NIXL_SIDE_CHANNEL_HOST: '127.0.0.1', VLLM_NIXL_SIDE_CHANNEL_PORT: '18403' })
  })
})

describe('settings that cannot be', () => {
  const eight = { gpus: [0, 1, 2, 3, 4, 5, 6, 7].map((index) => gpu(index)) }
  it.each<[string, VllmSettings, RegExp, Partial<LaunchSlot>?]>([
    ['GPUs over', { tensorParallel: 2 }, /tensorParallel 2 × pipelineParallel 1 × dataParallel 1 = 2, but the node has 8 GPUs/, eight],
    ['GPUs short', { tensorParallel: 4, pipelineParallel: 4 }, /= 16, but the node has 8 GPUs/, eight],
    ['uneven', { pipelineParallel: 3 }, /tensorParallel 2 × pipelineParallel 3/, eight],
    ['MIG', {}, /MIG slices/, { gpus: [gpu(0, { migProfile: '1g.5gb' }), gpu(0, { migProfile: '1g.5gb' })] }],
    ['eplb alone', { eplb: {} }, /eplb needs expertParallel/],
    ['eplb on one GPU', { eplb: {}, expertParallel: true }, /nothing to balance/, { gpus: [gpu(0)] }],
    ['LoRA at several doors', { runtimeLoras: true, apiServerCount: 2 }, /apiServerCount/],
    ['maxLoras for nothing', { maxLoras: 2 }, /maxLoras/],
    ['events of several ranks', { kvEvents: true, dataParallel: 2 }, /dataParallel/],
    ['events of no cache', { kvEvents: true, prefixCaching: false }, /prefixCaching/],
    ['a key in sight', { extraArgs: ['--api-key=x'] }, /--api-key/],
    ['another port', { extraArgs: ['--port', '1'] }, /--port/],
    ['blindness', { extraArgs: ['--disable-log-stats'] }, /--disable-log-stats/],
  ])('%s', (_name, settings, message, more) => {
    expect(refusalOf(() => plan(settings, more))).toMatchObject({
      code: 'LB_BAD_SETTINGS',
      source: 'operator',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })

  it('weights that nobody named', () => {
    const { weights: _, ...bare } = specOf()
    const backend = plugin.createBackend(bare, fetchingHost)
    expect(refusalOf(() => backend.launchPlan!(slot))).toMatchObject({ message: expect.stringContaining('launch.model') })
  })

  it('weights that look like a flag', () => {
    expect(refusalOf(() => plan({}, {}, { weights: '--config=/etc/x' }))).toMatchObject({ message: expect.stringContaining('flag') })
  })
})

function refusalOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    if (isLbError(error)) return error
    throw error
  }
  return 'no refusal'
}
