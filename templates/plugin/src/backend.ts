import { fileURLToPath } from 'node:url'
import {
  openaiDialect,
  type Backend,
  type LaunchPlan,
  type LaunchSlot,
  type NodeSpec,
  type PluginHost,
  type ProbeReport,
} from '@plimsoll/core/plugin'
import type { Settings } from './settings.js'

/** The engine itself. Yours is probably a command on PATH: then `command` is its name, and this line goes. */
const serverScript = fileURLToPath(new URL('server.js', import.meta.url))

/** One node's engine. Nothing may happen here: no request, no process, no timer; Plimsoll makes backends also to look at a plan. */
export function createBackend(spec: NodeSpec<Settings>, host: PluginHost): Backend {
  return {
    launchPlan: (slot) => launchPlan(spec, slot),
    probe: async (signal) => readHealth(await host.get(`${spec.url}/health`, { signal })),
    load: async (signal) => readLoad((await host.get(`${spec.url}/load`, { signal })).text),
    minProbeIntervalMs: 100,
    // It speaks OpenAI's protocol, and of that only chat.
    dialect: openaiDialect({ paths: { 'openai-chat': '/v1/chat/completions' } }),
    stop: [{ signal: 'SIGTERM', waitMs: 2000 }],
    diagnose: (logTail) =>
      logTail.includes('EADDRINUSE')
        ? { kind: 'port-taken', message: 'its port is taken', hint: 'lb takes another port by itself; nothing to do' }
        : undefined,
  }
}

/** Pure: `lb plan` shows it. The port and the address are Plimsoll's to choose; a key would go into `env` and `secretEnv`, never into `args`. */
function launchPlan({ settings, models }: NodeSpec<Settings>, { host, port }: LaunchSlot): LaunchPlan {
  const flags = ['--host', host, '--port', String(port), '--word-ms', String(settings.wordMs), '--load-ms', String(settings.loadMs)]
  return {
    command: process.execPath,
    args: [serverScript, ...flags, ...models.flatMap((model) => ['--model', model])],
    env: {},
    readyWithinMs: settings.loadMs + 15_000,
  }
}

/** Loading and sick are values. Whatever else answers at that address is sick: the port may be somebody else's by now. */
function readHealth({ status, text }: { readonly status: number; readonly text: string }): ProbeReport {
  const { state, models } = parsed(text)
  if (status === 200 && state === 'ready' && Array.isArray(models)) return { verdict: 'ready', models: models.map(String) }
  if (status === 503 && state === 'loading') return { verdict: 'loading', reason: 'loading the model' }
  return { verdict: 'sick', reason: `/health answered ${status}` }
}

/** What is not told is left out; a made-up number would be believed. */
function readLoad(text: string): { readonly running?: number } {
  const { running } = parsed(text)
  return typeof running === 'number' && Number.isInteger(running) && running >= 0 ? { running } : {}
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
