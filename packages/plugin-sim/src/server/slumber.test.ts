import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPluginHost, silentLogger } from '@plimsoll/core'
import type { NodeSpec } from '@plimsoll/core/plugin'
import { afterEach, describe, expect, it } from 'vitest'
import { plugin } from '../index.js'
import { simDefaults, type SimSettings } from '../settings.js'
import { SimClient } from '../testing/sim-client.js'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A simulated GPU of 1000 MiB. */
function gpu(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lb-sim-gpu-'))
  folders.push(folder)
  writeFileSync(join(folder, 'total'), '1000')
  return folder
}

const usedIn = (folder: string) => Number(readFileSync(join(folder, `${process.pid}.used`), 'utf8'))
const signal = () => AbortSignal.timeout(5_000)

function backendAt(url: string, settings: Partial<SimSettings>) {
  const spec: NodeSpec<SimSettings> = { id: 'demo/sim', url, models: ['sim-8b'], settings: { ...simDefaults, ...settings } }
  return plugin.createBackend(spec, createPluginHost(silentLogger))
}

describe('a simulated engine that can sleep', () => {
  it('gives its memory back, says so to its probe, refuses requests and counts them, and is as before once it is woken', async () => {
    const settings = { wakeMs: 1, memoryFolder: gpu(), memoryMib: 800 }
    await using sim = await SimClient.start(settings)
    const backend = backendAt(sim.server.url, settings)
    expect(backend.memoryNeed?.()?.mib).toBe(800)
    expect(usedIn(settings.memoryFolder)).toBe(800)
    await backend.sleep?.(signal())
    expect(usedIn(settings.memoryFolder)).toBe(300)
    expect(await backend.probe(signal())).toEqual({ verdict: 'loading', reason: 'asleep: its weights are not on the GPU' })
    const asked = await sim.post('/v1/chat/completions', { model: 'sim-8b', messages: [{ role: 'user', content: 'hi' }] })
    expect(asked.status).toBe(503)
    expect(sim.server.engine.askedWhileAsleep).toBe(1)
    await backend.wake?.(signal())
    expect(usedIn(settings.memoryFolder)).toBe(800)
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'ready' })
  })

  it('cannot be woken where others have taken its memory', async () => {
    const settings = { wakeMs: 1, memoryFolder: gpu(), memoryMib: 800 }
    await using sim = await SimClient.start(settings)
    const backend = backendAt(sim.server.url, settings)
    await backend.sleep?.(signal())
    writeFileSync(join(settings.memoryFolder, `${process.ppid}.used`), '600')
    await expect(backend.wake?.(signal())).rejects.toThrow(/out of memory/)
    expect(await backend.probe(signal())).toMatchObject({ verdict: 'loading' })
  })

  it('does not sleep while requests run, nor where it was not started for it', async () => {
    await using busy = await SimClient.start({ wakeMs: 1, profile: '8b-h100' })
    const running = busy.post('/v1/chat/completions', { model: 'sim-8b', messages: [{ role: 'user', content: 'hi' }], max_tokens: 200 })
    while (busy.server.engine.model.stats.running === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    await expect(backendAt(busy.server.url, { wakeMs: 1 }).sleep?.(signal())).rejects.toThrow(/409.*not done/)
    expect((await running).status).toBe(200)
    await using plain = await SimClient.start({})
    expect(backendAt(plain.server.url, {})).not.toHaveProperty('sleep')
    await expect(backendAt(plain.server.url, { wakeMs: 1 }).sleep?.(signal())).rejects.toThrow(/404/)
  })
})
