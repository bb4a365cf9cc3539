import { type ScriptedServer, fetchingHost, startScriptedServer } from '@plimsoll/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { plugin } from './index.js'
import { modelCard, modelList, specOf } from './node-spec.test.fixture.js'
import type { VllmSettings } from './settings.js'

let server: ScriptedServer
afterEach(() => server.close())

const signal = AbortSignal.timeout(20_000)
const load = '/v1/load_lora_adapter'
const unload = '/v1/unload_lora_adapter'
const refused = (message: string, type: string, code: number) => JSON.stringify({ error: { message, type, param: null, code } })

async function backendOf(settings: VllmSettings, answers: ScriptedServer['answers']) {
  server = await startScriptedServer(answers)
  return plugin.createBackend(specOf(settings, { url: server.url, apiKey: 'sekret' }), fetchingHost)
}

describe('adapters of a running vLLM', () => {
  const settings: VllmSettings = { runtimeLoras: true, loras: { sql: '/l/sql' } }

  it('are loaded by the name that the topology gives them, or by name and path', async () => {
    const { models } = await backendOf(settings, { [load]: [200, "Success: LoRA adapter 'sql' added successfully."] })
    await models!.load!('sql', signal)
    await models!.load!('de=/l/de', signal)
    expect(server.asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { lora_name: 'sql', lora_path: '/l/sql' },
      { lora_name: 'de', lora_path: '/l/de' },
    ])
    expect(server.asked[0]?.authorization).toBe('Bearer sekret')
    await expect(models!.load!('fr', signal)).rejects.toMatchObject({
      code: 'LB_UNKNOWN_ADAPTER',
      hint: expect.stringContaining('NAME=PATH'),
    })
  })

  it('may be there already, or gone already', async () => {
    const { models } = await backendOf(settings, {
      [load]: [400, refused('The lora adapter `sql` has already been loaded.', 'InvalidUserInput', 400)],
      [unload]: [404, refused('The lora adapter `sql` cannot be found.', 'NotFoundError', 404)],
    })
    await models!.load!('sql', signal)
    await models!.unload!('sql', signal)
  })

  it('say why they cannot be loaded', async () => {
    const { models } = await backendOf(settings, {
      [load]: [400, refused('LoRA rank 64 is greater than max_lora_rank 16.', 'BadRequestError', 400)],
    })
    await expect(models!.load!('sql', signal)).rejects.toMatchObject({
      code: 'LB_ENGINE_REFUSED',
      message: expect.stringContaining('LoRA rank 64'),
      hint: expect.stringContaining('maxLoraRank'),
    })
  })

  it('cannot change where vLLM was started without the right to it', async () => {
    const { models } = await backendOf(settings, {})
    await expect(models!.load!('sql', signal)).rejects.toMatchObject({ hint: expect.stringContaining('runtimeLoras') })
    await expect(models!.unload!('sql', signal)).rejects.toMatchObject({ hint: expect.stringContaining('runtimeLoras') })
    const other = plugin.createBackend(specOf(), fetchingHost)
    expect(other.models).not.toHaveProperty('load')
  })

  it('are listed beside the model, those that wait too', async () => {
    const list = modelList(modelCard('qwen3-4b'), modelCard('de', { parent: 'qwen3-4b' }))
    const { models } = await backendOf(settings, { '/v1/models': [200, list] })
    expect(await models!.list!(signal)).toEqual([
      { name: 'qwen3-4b', loaded: true, contextTokens: 8192 },
      { name: 'de', loaded: true, contextTokens: 8192 },
      { name: 'sql', loaded: false },
    ])
  })
})

describe('the sleep of vLLM', () => {
  it('keeps the weights in main memory and lets running requests end', async () => {
    const backend = await backendOf({ sleepMode: true }, { '/sleep?level=1&mode=wait': [200, ''], '/wake_up': [200, ''] })
    await backend.sleep!(signal)
    await backend.wake!(signal)
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /sleep?level=1&mode=wait', 'POST /wake_up'])
  })

  it('is refused by one that was started without it', async () => {
    const backend = await backendOf({ sleepMode: true }, {})
    await expect(backend.sleep!(signal)).rejects.toMatchObject({ code: 'LB_ENGINE_REFUSED', hint: expect.stringContaining('sleepMode') })
    expect(plugin.createBackend(specOf(), fetchingHost)).not.toHaveProperty('sleep')
  })
})
