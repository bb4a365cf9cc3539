import assert from 'node:assert/strict'
import type { Detection, PluginHost } from '@plimsoll/core/plugin'
import type { ContractRule } from './contract.js'
import { outcomeOf } from './outcome.js'
import { recordingHost } from './plugin-hosts.js'
import type { Workbench } from './workbench.js'

const PATIENCE_MS = 2000

/** Looking for the engine on this machine: quick, and nothing is started by it. */
export function detectRules({ plugin }: Workbench): readonly ContractRule[] {
  if (plugin.detect === undefined) return []
  return [
    {
      title: 'it looks for its engine within 2 s where nobody answers',
      run: async () => checked(await detectWith(plugin.detect?.bind(plugin), recordingHost())),
    },
    {
      title: 'it looks for its engine within 2 s where everything hangs',
      run: async () => checked(await detectWith(plugin.detect?.bind(plugin), hangingHost())),
    },
  ]
}

async function detectWith(detect: ((host: PluginHost) => Promise<Detection>) | undefined, host: PluginHost): Promise<Detection> {
  const outcome = await outcomeOf('detect', () => detect?.(host) ?? Promise.reject(new Error('no detect')), PATIENCE_MS + 500)
  assert.ok('value' in outcome, `detect failed: ${'error' in outcome ? outcome.error.message : ''}`)
  return outcome.value
}

function checked(detection: Detection): void {
  assert.equal(typeof detection.found, 'boolean')
  assert.match(detection.detail, /^[^\n]+$/)
  assert.ok(detection.url === undefined, 'no server answered, and yet it knows one that runs')
}

/** Every question waits until its own signal ends it. */
function hangingHost(): PluginHost {
  const untilAborted = ({ signal }: { readonly signal: AbortSignal }): Promise<never> =>
    new Promise((_resolve, reject) => {
      const fail = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      if (signal.aborted) fail()
      else signal.addEventListener('abort', fail)
    })
  return {
    ...recordingHost(),
    get: (_url, options) => untilAborted(options),
    send: (_method, _url, options) => untilAborted(options),
    async *lines(_url, options) {
      yield await untilAborted(options)
    },
    run: (_command, _args, options) => untilAborted(options).catch(() => ({ code: null, stdout: '', stderr: '' })),
  }
}
