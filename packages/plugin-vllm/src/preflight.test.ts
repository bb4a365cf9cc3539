import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PreflightFinding } from '@plimsoll/core/plugin'
import { type ScriptedServer, fetchingHost, startScriptedServer } from '@plimsoll/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryNeed } from './memory-need.js'
import { specOf } from './node-spec.test.fixture.js'
import { preflight } from './preflight.js'
import type { VllmSettings } from './settings.js'

const id = 'Qwen/Qwen3-4B'
const info = `/api/models/${id}/revision/main?blobs=true`
const config = `/${id}/resolve/main/config.json`
/** Texts of huggingface.co, as its client shows them in users' reports. */
const needsLogin = `Access to model ${id} is restricted. You must have access to it and be authenticated to access it. Please log in.`
const notOnList = `Access to model ${id} is restricted and you are not in the authorized list. Visit https://huggingface.co/${id} to ask for access.`

let folder: string
let hub: ScriptedServer

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lb-vllm-'))
  hub = await startScriptedServer({})
})

afterEach(async () => {
  await hub.close()
  rmSync(folder, { recursive: true })
})

function find(env: Record<string, string> = {}, settings: VllmSettings = {}, weights = id): Promise<readonly PreflightFinding[]> {
  const environment = () => ({ HOME: folder, HF_ENDPOINT: `${hub.url}/`, ...env })
  return preflight(specOf(settings, { weights, environment }), { host: fetchingHost, gpus: undefined, signal: AbortSignal.timeout(10_000) })
}

const kinds = async (...args: Parameters<typeof find>) =>
  (await find(...args)).map(({ severity, kind, message }) => [severity, kind, message])
const repo = (...files: [name: string, size: number][]) =>
  JSON.stringify({ id, siblings: files.map(([rfilename, size]) => ({ rfilename, size })) })

/** A snapshot as huggingface_hub lays it out: links to blobs. */
function cached(files: Record<string, string>): string {
  const root = join(folder, '.cache/huggingface/hub/models--Qwen--Qwen3-4B')
  const snapshot = join(root, 'snapshots/abc')
  for (const each of [snapshot, join(root, 'refs'), join(root, 'blobs')]) mkdirSync(each, { recursive: true })
  writeFileSync(join(root, 'refs/main'), 'abc')
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(root, 'blobs', name), text)
    symlinkSync(join('../../blobs', name), join(snapshot, name))
  }
  return snapshot
}

const index = JSON.stringify({
  metadata: { total_size: 2000 },
  weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors', c: 'model-1.safetensors' },
})

describe('what would stop a launch of vLLM', () => {
  it('is nothing where the hub gives the model', async () => {
    hub.answers = { [info]: [200, repo(['model.safetensors', 100], ['config.json', 10])], [config]: [200, '{}'] }
    expect(await find()).toEqual([])
  })

  it('is a gate without a token, and a gate that this token does not open', async () => {
    hub.answers = { [info]: [200, repo(['model.safetensors', 100])], [config]: [401, needsLogin] }
    expect(await kinds()).toEqual([['error', 'model-gated', `${id} is gated, and no token is sent`]])
    hub.answers[config] = [403, notOnList]
    expect(await kinds({ HF_TOKEN: 'hf_x' })).toEqual([['error', 'model-gated', `${id} is gated, and this token has no access`]])
    expect(hub.asked.at(-1)?.authorization).toBe('Bearer hf_x')
  })

  it('is a token that the hub does not know', async () => {
    hub.answers = { [info]: [401, '{"error":"Invalid credentials in Authorization header"}'] }
    expect(await kinds({ HF_TOKEN: 'hf_old' })).toEqual([['error', 'model-gated', 'the hub refuses the token']])
  })

  it('takes the token that `hf auth login` left', async () => {
    mkdirSync(join(folder, '.cache/huggingface'), { recursive: true })
    writeFileSync(join(folder, '.cache/huggingface/token'), 'hf_saved\n')
    hub.answers = { [info]: [404, '{"error":"Repository not found"}'] }
    expect(await kinds()).toEqual([['error', 'model-missing', `the hub knows no ${id} that this token may see`]])
    expect(hub.asked[0]?.authorization).toBe('Bearer hf_saved')
  })

  it('is a name that nobody knows, or a private one', async () => {
    hub.answers = { [info]: [401, '{"error":"Invalid username or password."}'] }
    expect(await kinds()).toEqual([['error', 'model-missing', `the hub knows no ${id}, or it is private`]])
  })

  it('is no network; with a proxy that is only feared', async () => {
    await hub.close()
    const closed = await find()
    expect(closed).toMatchObject([{ severity: 'error', kind: 'no-network', message: expect.stringContaining('ECONNREFUSED') }])
    expect(await find({ HTTPS_PROXY: 'http://proxy:3128' })).toMatchObject([{ severity: 'warning', kind: 'no-network' }])
    hub = await startScriptedServer({})
  })

  it('is a hub that makes no sense: feared only', async () => {
    hub.answers = { [info]: [429, 'slow down'] }
    expect(await kinds()).toEqual([['warning', 'other', `${hub.url} answered 429`]])
    hub.answers = { [info]: [200, '<html>'], [config]: [200, '{}'] }
    expect(await find()).toEqual([])
  })

  it('is a disk that is too small for what is still to be fetched', async () => {
    hub.answers = {
      [info]: [200, repo(['model.safetensors', 1e18], ['pytorch_model.bin', 1e19], ['original/consolidated.safetensors', 1e19])],
      [config]: [200, '{}'],
    }
    expect(await find()).toMatchObject([
      { severity: 'error', kind: 'no-space', message: expect.stringMatching(/^931322574\.6 GiB are to be fetched/) },
    ])
  })

  it('is nothing where the cache has it all: the hub is not even asked', async () => {
    cached({ 'config.json': '{}', 'model.safetensors.index.json': index, 'model-1.safetensors': 'x', 'model-2.safetensors': 'y' })
    expect(await find()).toEqual([])
    expect(await find({ HF_HUB_OFFLINE: '1' })).toEqual([])
    expect(hub.asked).toEqual([])
  })

  it('is an offline cache that lacks it, wholly or in part', async () => {
    expect((await kinds({ HF_HUB_OFFLINE: '1' }))[0]?.[2]).toContain(`${id} is not in the cache ${folder}/.cache/huggingface/hub`)
    cached({ 'config.json': '{}', 'model.safetensors.index.json': index, 'model-1.safetensors': 'x' })
    expect((await kinds({ HF_HUB_OFFLINE: 'true' }))[0]?.[2]).toContain('not wholly in the cache')
    expect(await find({ HF_HUB_OFFLINE: '1' }, { loadFormat: 'dummy' })).toEqual([])
    expect(hub.asked).toEqual([])
  })

  it('looks where HF_HOME and HF_HUB_CACHE say', async () => {
    expect((await kinds({ HF_HUB_OFFLINE: '1', HF_HOME: '/data/hf' }))[0]?.[2]).toContain('/data/hf/hub')
    expect((await kinds({ HF_HUB_OFFLINE: '1', HF_HOME: '/data/hf', HF_HUB_CACHE: '/data/c' }))[0]?.[2]).toContain('the cache /data/c,')
  })

  it('is a folder that is not there, or is none of a model', async () => {
    expect(await kinds({}, {}, join(folder, 'none'))).toEqual([['error', 'model-missing', `there is no folder ${folder}/none`]])
    expect(await kinds({}, {}, folder)).toEqual([['error', 'model-missing', `${folder} holds no config.json`]])
    writeFileSync(join(folder, 'config.json'), '{}')
    expect(await find({}, {}, folder)).toEqual([])
  })

  it('is not known for what only vLLM can reach', async () => {
    expect(await find({}, {}, 's3://bucket/model')).toEqual([])
    expect(hub.asked).toEqual([])
  })
})

describe('settings that do not suit the model', () => {
  const moe = { num_attention_heads: 28, num_hidden_layers: 4, num_experts: 60, max_position_embeddings: 8192 }

  async function fit(settings: VllmSettings, model: object = moe): Promise<readonly (readonly [string, string])[]> {
    writeFileSync(join(folder, 'config.json'), JSON.stringify(model))
    return (await find({}, settings, folder)).map(({ kind, message }) => [kind, message] as const)
  }

  it('are told: heads, layers, context', async () => {
    expect(await fit({ tensorParallel: 8 })).toEqual([['bad-settings', '8 GPUs cannot share the model’s 28 attention heads evenly']])
    expect(await fit({ pipelineParallel: 5 })).toEqual([['bad-settings', 'pipelineParallel 5 is more than the model’s 4 layers']])
    expect(await fit({ maxModelLen: 9000 })).toEqual([['bad-settings', 'maxModelLen 9000 is more than the model was made for (8192)']])
    expect(await fit({ maxModelLen: 9000, extraArgs: ['--hf-overrides={}'] })).toEqual([])
  })

  it('are told: experts that do not come out even, with the number that would', async () => {
    const eplb = { expertParallel: true, tensorParallel: 4, dataParallel: 2 }
    expect(await fit({ ...eplb, eplb: { redundantExperts: 4 } })).toEqual([])
    expect(await fit({ ...eplb, eplb: { redundantExperts: 3 } })).toEqual([
      ['bad-settings', '60 experts and 3 redundant ones do not come out even on 8 GPUs, as eplb needs it'],
    ])
    writeFileSync(join(folder, 'config.json'), JSON.stringify(moe))
    expect((await find({}, { ...eplb, eplb: {} }, folder))[0]?.hint).toBe('set eplb.redundantExperts: 4')
    expect(await fit({ ...eplb }, { num_attention_heads: 8 })).toEqual([['bad-settings', 'the model seems to have no experts']])
  })

  it('are not guessed at where the model does not say', async () => {
    expect(await fit({ tensorParallel: 8, maxModelLen: 9000 }, {})).toEqual([])
  })
})

describe('the memory that vLLM needs', () => {
  const qwen = { num_hidden_layers: 36, num_attention_heads: 32, num_key_value_heads: 8, head_dim: 128, max_position_embeddings: 40_960 }

  function need(model: object, settings: VllmSettings = {}, weightBytes = 1024 ** 2) {
    writeFileSync(join(folder, 'config.json'), JSON.stringify(model))
    writeFileSync(join(folder, 'model.safetensors'), Buffer.alloc(weightBytes))
    return memoryNeed(specOf(settings, { weights: folder, environment: () => ({}) }))
  }

  it('is weights, one request of full length, and what each GPU holds beside', () => {
    // 36 layers × 2 × 8 heads × 128 × 2 bytes = 144 KiB a token: 1152 MiB at 8192.
    expect(need(qwen, { maxModelLen: 8192 })).toEqual({
      mib: 1 + 1152 + 2048,
      why: 'weights 0.0 GiB + KV 1.1 GiB at 8192 tokens + 2.0 GiB; it takes 92 % of each card all the same',
    })
    expect(need(qwen, { maxModelLen: 8192, kvCacheDtype: 'fp8', enforceEager: true })?.mib).toBe(1 + 576 + 1024)
    expect(need(qwen)?.mib).toBe(1 + 5760 + 2048)
  })

  it('grows with the GPUs, and with copies of the model', () => {
    expect(need(qwen, { maxModelLen: 8192, tensorParallel: 2 })?.mib).toBe(1 + 1152 + 4096)
    expect(need(qwen, { maxModelLen: 8192, dataParallel: 2 })?.mib).toBe(2 + 2304 + 4096)
    expect(need(qwen, { kvCacheMemoryBytes: 1024 ** 3, tensorParallel: 2 })?.mib).toBe(1 + 2048 + 4096)
  })

  it('knows latent attention, and models whose figures stand one level down', () => {
    const mla = { num_hidden_layers: 61, num_attention_heads: 128, kv_lora_rank: 512, qk_rope_head_dim: 64 }
    expect(need(mla, { maxModelLen: 4096 })?.mib).toBe(Math.ceil(1 + (61 * 576 * 2 * 4096) / 1024 ** 2 + 2048))
    expect(need({ text_config: qwen }, { maxModelLen: 8192 })?.mib).toBe(1 + 1152 + 2048)
  })

  it('is smaller where weights are quantised while loading', () => {
    expect(need(qwen, { maxModelLen: 8192, quantization: 'fp8' }, 100 * 1024 ** 2)?.mib).toBe(55 + 1152 + 2048)
    const quantised = { ...qwen, quantization_config: { quant_method: 'fp8' } }
    expect(need(quantised, { maxModelLen: 8192, quantization: 'fp8' }, 100 * 1024 ** 2)?.mib).toBe(100 + 1152 + 2048)
  })

  it('is unknown where the files are not here yet, and never a guess from broken ones', () => {
    const environment = () => ({ HOME: folder })
    expect(memoryNeed(specOf({}, { environment }))).toBeUndefined()
    expect(need({}, { maxModelLen: 8192 })).toMatchObject({ mib: 2049, why: expect.stringContaining('KV unknown') })
    writeFileSync(join(folder, 'config.json'), '{ broken')
    expect(memoryNeed(specOf({}, { weights: folder, environment }))).toBeUndefined()
    const secret = () => {
      throw new Error('HF_TOKEN is not set')
    }
    expect(memoryNeed(specOf({}, { environment: secret, weights: join(folder, 'none') }))).toBeUndefined()
  })
})
