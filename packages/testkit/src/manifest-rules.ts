import assert from 'node:assert/strict'
import type { ContractRule } from './contract.js'
import { recordingHost } from './plugin-hosts.js'
import type { Workbench } from './workbench.js'

/** What the plugin says of itself, its settings, and that making a backend costs nothing. */
export function manifestRules(bench: Workbench): readonly ContractRule[] {
  const { plugin, subject } = bench
  const always: ContractRule[] = [
    {
      title: 'it says which API it speaks, its name, and in one line what it can do',
      async run() {
        assert.equal(plugin.apiVersion, 1)
        assert.match(plugin.engine, /^[a-z][a-z0-9-]*$/)
        assert.match(plugin.summary, /^[^\n]{10,}$/)
        if (plugin.defaultAttachUrl !== undefined) assert.match(plugin.defaultAttachUrl, /^https?:\/\/[^/]+(\/[^?#]*[^/])?$/)
      },
    },
    {
      title: 'making a backend asks nobody and takes no time',
      async run() {
        const host = recordingHost()
        const settings = plugin.canLaunch ? await bench.settingsOf(subject.args ?? {}) : {}
        const from = performance.now()
        for (let count = 0; count < 200; count += 1) plugin.createBackend(bench.specOf('http://127.0.0.1:1', settings), host)
        const eachMs = (performance.now() - from) / 200
        await new Promise((resolve) => setImmediate(resolve))
        assert.deepEqual(host.calls, [], 'createBackend asked its host')
        assert.ok(eachMs < 10, `createBackend takes ${eachMs} ms`)
      },
    },
    {
      title: 'its probe interval and stop steps are sane',
      async run() {
        const backend = plugin.canLaunch ? await bench.launched() : bench.attached('http://127.0.0.1:1')
        assert.ok(
          backend.minProbeIntervalMs >= 1 && backend.minProbeIntervalMs <= 60_000,
          `minProbeIntervalMs ${backend.minProbeIntervalMs}`,
        )
        for (const step of backend.stop ?? []) {
          assert.ok(step.signal === 'SIGINT' || step.signal === 'SIGTERM', 'a stop step that is neither SIGINT nor SIGTERM')
          assert.ok(step.waitMs > 0 && step.waitMs <= 600_000, `stop waits ${step.waitMs} ms`)
        }
        if (backend.modelName !== undefined) assert.notEqual(backend.modelName, '')
      },
    },
  ]
  return plugin.canLaunch ? [...always, ...settingsRules(bench)] : always
}

function settingsRules(bench: Workbench): readonly ContractRule[] {
  const { subject } = bench
  return [
    {
      title: 'its settings schema works, and its defaults are filled in once and for all',
      async run() {
        const first = await bench.settingsOf(subject.args ?? {})
        assert.equal(typeof first, 'object')
        assert.deepEqual(await bench.settingsOf(subject.args ?? {}), first)
        assert.deepEqual(await bench.settingsOf(first), first, 'settings with their defaults mean something else when read again')
        assert.deepEqual(JSON.parse(JSON.stringify(first)), first, 'settings must survive JSON')
      },
    },
    {
      title: 'a setting that nobody knows is refused by name',
      async run() {
        await assert.rejects(bench.settingsOf({ ...subject.args, noSuchSetting: 1 }), /noSuchSetting/)
      },
    },
  ]
}
