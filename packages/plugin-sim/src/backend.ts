import { fileURLToPath } from 'node:url'
import {
  LbError,
  openaiDialect,
  type Backend,
  type Continuation,
  type ExactContinuation,
  type LaunchSlot,
  type MemoryNeed,
  type NodeSpec,
  type PluginHost,
  type ProbeReport,
} from '@plimsoll/core/plugin'
import type { SimSettings } from './settings.js'
import { weightsContent } from './weights-content.js'

const engineScript = fileURLToPath(new URL('../bin/lb-sim-engine.js', import.meta.url))

/** Starting takes under a second; the rest is for a busy machine. */
const startAllowanceMs = 15_000

const exact: ExactContinuation = {
  ask: { return_token_ids: 'true' },
  field: 'token_ids',
  tokensOf: (value) => (Array.isArray(value) ? { ids: value.filter((id) => typeof id === 'number') } : undefined),
  promptField: 'prompt_token_ids',
}

/** A trailing assistant message stays open, and so does every prompt: the answer goes on from its last character, and from the last of given ids. */
const continuation: Continuation = {
  text: { 'openai-chat': {}, 'openai-completions': {} },
  exact: { 'openai-chat': exact, 'openai-completions': exact },
}

/** The smallest backend there is: a command line, a health check, OpenAI's protocol. */
export function createSimBackend(spec: NodeSpec<SimSettings>, host: PluginHost): Backend {
  let contextTokens: number | undefined
  return {
    launchPlan: (slot) => ({
      command: process.execPath,
      args: [engineScript, ...engineArguments(spec, slot)],
      env: {},
      readyWithinMs: spec.settings.loadMs + startAllowanceMs,
    }),
    probe: async (signal) => {
      const answer = await host.get(`${spec.url}/health`, { signal })
      contextTokens = contextOf(answer.text)
      return readHealth(answer)
    },
    // Said with the last good probe, so nothing more is asked.
    load: () => Promise.resolve(contextTokens === undefined ? {} : { contextTokens }),
    content: () => weightsContent(spec),
    ...(spec.settings.wakeMs === undefined ? {} : sleeping(spec, host)),
    memoryNeed: () => memoryNeed(spec.settings),
    minProbeIntervalMs: 100,
    strictModels: true,
    dialect: openaiDialect({ continuation }),
    stop: [{ signal: 'SIGTERM', waitMs: 2000 }],
  }
}

function sleeping({ url }: NodeSpec<SimSettings>, host: PluginHost): Required<Pick<Backend, 'sleep' | 'wake'>> {
  const post = async (path: string, signal: AbortSignal): Promise<void> => {
    const { status, text } = await host.send('POST', `${url}${path}`, { signal })
    if (status !== 200)
      throw new LbError(`${path} answered ${status}: ${text.slice(0, 200)}`, { code: 'LB_ENGINE_REFUSED', source: 'engine' })
  }
  return { sleep: (signal) => post('/sleep', signal), wake: (signal) => post('/wake_up', signal) }
}

function memoryNeed({ memoryMib: mib }: SimSettings): MemoryNeed | undefined {
  return mib === undefined ? undefined : { mib, why: 'memoryMib of the simulated engine' }
}

/** `--port 18400 --model sim-8b --profile instant ...`: settings become flags of the same name. */
export function engineArguments(spec: NodeSpec<SimSettings>, slot: LaunchSlot): string[] {
  const models = spec.model === undefined ? spec.models : [spec.model]
  const flags = Object.entries(spec.settings)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [`--${kebab(name)}`, String(value)])
  return ['--port', String(slot.port), ...models.flatMap((model) => ['--model', model]), ...flags.flat()]
}

function readHealth({ status, text }: { readonly status: number; readonly text: string }): ProbeReport {
  const health = parseHealth(text)
  if (status === 200 && health.status === 'ok') {
    const models = Array.isArray(health.models) ? health.models.filter((name) => typeof name === 'string') : []
    return { verdict: 'ready', models, ...(typeof health.version === 'string' ? { version: health.version } : {}) }
  }
  if (status !== 503 || health.status !== 'loading') return { verdict: 'sick', reason: `/health answered ${status}` }
  const reason = typeof health.reason === 'string' ? health.reason : 'loading'
  return { verdict: 'loading', reason, ...(typeof health.progress === 'number' ? { progress: health.progress } : {}) }
}

function contextOf(text: string): number | undefined {
  const { contextTokens } = parseHealth(text)
  return typeof contextTokens === 'number' ? contextTokens : undefined
}

interface Health {
  readonly status?: unknown
  readonly models?: unknown
  readonly version?: unknown
  readonly reason?: unknown
  readonly progress?: unknown
  readonly contextTokens?: unknown
}

/** Anything that is no JSON object reads as an empty one: whatever runs there is not this engine. */
function parseHealth(text: string): Health {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)
}
