import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Gpu, LaunchSlot, NodeSpec } from '@plimsoll/core/plugin'
import { launchPlan, stopSteps } from './launch.js'
import { modelFolders } from './model-folder.test.fixture.js'
import { checkedSettings } from './settings-checker.test.fixture.js'
import type { LlamacppSettings } from './settings.js'

const folderOf = modelFolders()
const slot: LaunchSlot = { host: '127.0.0.1', port: 18_400, replica: 0, extraPorts: [] }
const gpu = { vendor: 'nvidia', index: 3 } as Gpu

function argsOf(settings: LlamacppSettings, more: Partial<NodeSpec<LlamacppSettings>> = {}, at: Partial<LaunchSlot> = {}): string {
  const spec = { id: 'chat/a', url: 'http://127.0.0.1:18400', models: ['qwen', 'gpt-4o-mini'], weights: '/m/q.gguf', settings, ...more }
  return launchPlan(spec, { ...slot, ...at }).args.join(' ')
}

describe('the command of a launched llama-server', () => {
  it('always says host and port, the file, and the name that answers shall carry', () => {
    const spec = {
      id: 'chat/a',
      url: 'http://127.0.0.1:18400',
      models: ['qwen', 'gpt-4o-mini'],
      weights: '/m/q.gguf',
      settings: { metrics: true },
    }
    const plan = launchPlan(spec, slot)
    expect(plan.command).toBe('llama-server')
    expect(plan.args).toEqual('--host 127.0.0.1 --port 18400 -m /m/q.gguf -a qwen --metrics'.split(' '))
  })

  it('has a flag for each setting, its value beside it', () => {
    const settings: LlamacppSettings = {
      contextTokens: 32_768,
      slots: 4,
      unifiedKv: false,
      gpuLayers: 'all',
      splitMode: 'layer',
      tensorSplit: [3, 1],
      mainGpu: 1,
      flashAttention: 'on',
      kvTypeK: 'q8_0',
      kvTypeV: 'q4_0',
      batchTokens: 1024,
      microBatchTokens: 256,
      threads: 8,
      cacheReuse: 256,
      cacheRamMiB: 0,
      slotSavePath: '/s',
      slotPromptSimilarity: 0.5,
      loras: [
        { path: '/l/a.gguf', scale: 1 },
        { path: '/l/b.gguf', scale: 0.5 },
      ],
      embeddings: true,
      rerank: false,
      pooling: 'mean',
      mmproj: '/m/p.gguf',
      jinja: false,
      chatTemplate: 'chatml',
      chatTemplateFile: '/t.jinja',
      sleepIdle: 60,
      offline: true,
      metrics: false,
      extraArgs: ['--swa-full', '--rope-scale', '2'],
    }
    expect(argsOf(settings)).toBe(
      '--host 127.0.0.1 --port 18400 -m /m/q.gguf -a qwen --no-jinja -no-kvu --embeddings --offline -c 32768 -np 4 -fa on -ctk q8_0 -ctv q4_0 -b 1024 -ub 256 -t 8 --cache-reuse 256 --cache-ram 0 --slot-save-path /s -sps 0.5 --pooling mean --mmproj /m/p.gguf --chat-template chatml --chat-template-file /t.jinja --sleep-idle-seconds 60 -ngl all -sm layer -ts 3,1 -mg 1 --lora-scaled /l/a.gguf:1,/l/b.gguf:0.5 --swa-full --rope-scale 2',
    )
  })

  it('fetches from Hugging Face', () => {
    expect(argsOf({}, { weights: 'hf:ggml-org/Qwen3-4B-GGUF:Q8_0' })).toContain('-hf ggml-org/Qwen3-4B-GGUF:Q8_0 -a')
    expect(argsOf({}, { weights: 'hf:ggml-org/Qwen3-4B-GGUF' })).toContain('-hf ggml-org/Qwen3-4B-GGUF -a')
  })

  it('goes by one name, for several would be sorted; by that of the node where it has one; by none with a comma, which would be two', () => {
    expect(argsOf({}, { model: 'there' })).toContain('-a there')
    expect(argsOf({}, { models: ['a,b', 'c'] })).toContain('-a c')
    expect(argsOf({}, { models: ['a,b'] })).not.toContain('-a ')
  })

  it('of a router names no model', () => {
    const { weights: _weights, ...spec } = { id: 'a', url: '', models: ['m'], weights: '', settings: {} }
    const router = { modelsDir: '/models', modelsPreset: '/p.ini', maxModels: 2, autoload: false }
    expect(
      launchPlan({ ...spec, settings: { router } }, slot)
        .args.slice(4)
        .join(' '),
    ).toBe('--models-dir /models --models-preset /p.ini --models-max 2 --no-models-autoload')
  })

  it('counts GPUs among those that core left visible, and uses none where it was given none', () => {
    expect(argsOf({ mainGpu: 0, gpuLayers: 20 }, {}, { gpus: [gpu] })).toContain('-ngl 20 -mg 0')
    expect(argsOf({ mainGpu: 0, gpuLayers: 20 }, {}, { gpus: [] })).toMatch(/-dev none$/)
  })

  it('gives the key by environment, marked as secret, never on the command line', () => {
    const plan = launchPlan({ id: 'a', url: '', models: ['m'], weights: '/m', apiKey: 'sekret', settings: {} }, slot)
    expect(plan.env).toMatchObject({ LLAMA_API_KEY: 'sekret' })
    expect(plan.secretEnv).toEqual(['LLAMA_API_KEY'])
    expect(plan.args.join(' ')).not.toContain('sekret')
  })

  it('waits longer for a bigger file, and longest for one that is fetched', () => {
    const path = join(folderOf({ 'm.gguf': '' }), 'm.gguf')
    const readyOf = (weights: string) => launchPlan({ id: 'a', url: '', models: ['m'], weights, settings: {} }, slot).readyWithinMs
    expect(readyOf(path)).toBe(300_000)
    truncateSync(path, 40_000_000_000)
    expect(readyOf(path)).toBe(800_000)
    expect(readyOf('/nowhere.gguf')).toBe(300_000)
    expect(readyOf('hf:a/b')).toBe(3_600_000)
  })

  it('is ended by a second SIGTERM, sooner without children', () => {
    expect(stopSteps(false).map(({ waitMs }) => waitMs)).toEqual([1500, 2000])
    expect(stopSteps(true).map(({ waitMs }) => waitMs)).toEqual([4000, 2000])
  })
})

describe('the settings of a launched llama-server', () => {
  it('are those of the template that lb init writes', async () => {
    const file = new URL('../../../templates/topology/llamacpp/lb.yaml', import.meta.url)
    const [, args = ''] = /args:\n((?: {12}.*\n)+)/.exec(readFileSync(file, 'utf8')) ?? []
    const given = Object.fromEntries([...args.matchAll(/^ +(\w+): (\d+)/gm)].map(([, name, value]) => [name, Number(value)]))
    expect(await checkedSettings(given)).toEqual({ contextTokens: 16_384, slots: 4, metrics: true })
  })

  it('have defaults', async () => {
    expect(await checkedSettings({ router: {} })).toEqual({ metrics: true, router: { autoload: true, maxModels: 4 } })
    expect(await checkedSettings({ loras: [{ path: '/a.gguf' }] })).toMatchObject({ loras: [{ scale: 1 }] })
  })

  it.each([
    [{ gpuLayers: 'auto' }],
    [{ gpuLayers: 0 }],
    [{ flashAttention: 'on', kvTypeK: 'q8_0', cacheRamMiB: -1 }],
    [{ extraArgs: ['--rope-scale', '2', '-ot', 'exps=CPU', '--override-kv', 'a=int:3'] }],
  ])('take %j', async (settings) => {
    expect(await checkedSettings(settings)).toEqual({ metrics: true, ...settings })
  })

  it.each([
    [{ gpuLayers: 'some' }],
    [{ gpuLayers: 1.5 }],
    [{ contextTokens: 0 }],
    [{ kvTypeK: 'q2_k' }],
    [{ mmproj: 'relative.gguf' }],
    [{ loras: [{ path: '/a,b.gguf' }] }],
    [{ loras: [{ path: '/a:1.gguf' }] }],
    [{ extraArgs: ['--port', '9'] }],
    [{ extraArgs: ['--api_key', 'k'] }],
    [{ extraArgs: ['--top-k=20'] }],
    [{ extraArgs: ['-m'] }],
    [{ ctxSize: 5 }],
  ])('refuse %j', async (settings) => {
    await expect(checkedSettings(settings)).rejects.toThrow('engine llamacpp')
  })
})
