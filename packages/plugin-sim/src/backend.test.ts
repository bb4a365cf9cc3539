import { describe, expect, it } from 'vitest'
import { createPluginHost, silentLogger } from '@plimsoll/core'
import type { HostResponse, NodeSpec, PluginHost } from '@plimsoll/core/plugin'
import { engineArguments } from './backend.js'
import { plugin } from './index.js'
import { simDefaults, type SimSettings } from './settings.js'
import { SimClient } from './testing/sim-client.js'

const spec = (url: string, settings: SimSettings = simDefaults): NodeSpec<SimSettings> => ({
  id: 'demo/sim-0',
  url,
  models: ['sim-8b', 'sim'],
  settings,
})
const host = createPluginHost(silentLogger)
const answering = (response: HostResponse): PluginHost => ({ ...host, get: () => Promise.resolve(response) })

describe('the backend of a simulated node', () => {
  it('launches its own script with the same Node.js, settings as flags', () => {
    const settings = { ...simDefaults, profile: '8b-h100', loadMs: 1500, fault: 'slow:4', maxNumSeqs: 8 } as const
    const slot = { host: '127.0.0.1', port: 18_400, replica: 0, extraPorts: [] } as const
    const plan = plugin.createBackend(spec('http://127.0.0.1:18400', settings), host).launchPlan?.(slot)
    expect(plan?.command).toBe(process.execPath)
    expect(plan?.args.slice(1).join(' ')).toBe(
      '--port 18400 --model sim-8b --model sim --profile 8b-h100 --seed 0 --load-ms 1500 --context-tokens 32768 --slowness 1 --fault slow:4 --max-num-seqs 8',
    )
    expect(plan?.readyWithinMs).toBeGreaterThan(1500)
    expect(engineArguments({ ...spec('http://x'), model: 'other' }, slot).slice(0, 4)).toEqual(['--port', '18400', '--model', 'other'])
  })

  it('sees loading, then ready with the models', async () => {
    await using sim = await SimClient.start({ fault: 'hang-on-load' })
    const backend = plugin.createBackend(spec(sim.server.url), host)
    const signal = AbortSignal.timeout(5000)
    expect(await backend.probe(signal)).toMatchObject({ verdict: 'loading', reason: 'loading the simulated model' })
    await sim.fault(null)
    expect(await backend.load?.(signal)).toEqual({})
    expect(await backend.probe(signal)).toEqual({ verdict: 'ready', models: ['sim-8b'], version: '0.1.0' })
    const { contextTokens } = (await backend.load?.(signal)) ?? {}
    await sim.fault('small-context')
    await backend.probe(signal)
    expect([contextTokens, await backend.load?.(signal)]).toEqual([32_768, { contextTokens: 256 }])
  })

  it.each([
    { status: 200, text: '' },
    { status: 200, text: 'null' },
    { status: 200, text: '{"status":"well"}' },
    { status: 503, text: 'busy' },
    { status: 404, text: '{"status":"ok"}' },
  ])('calls anything else sick: %j', async (response) => {
    const backend = plugin.createBackend(spec('http://127.0.0.1:1'), answering(response))
    expect(await backend.probe(AbortSignal.timeout(1000))).toMatchObject({ verdict: 'sick', reason: `/health answered ${response.status}` })
  })
})
