import { openaiBase, type Backend, type LoadFacts, type NodeSpec, type PluginHost } from '@plimsoll/core/plugin'
import { diagnose, loadingStep } from './diagnose.js'
import { ollamaDialect } from './dialect.js'
import { drainRecipe } from './drain.js'
import { fitOptions } from './fit-options.js'
import { createKeeper } from './keeper.js'
import { launchPlan, modelsFolder } from './launch.js'
import { memoryNeed, weightsOf } from './memory-need.js'
import { askedModels, isSameModel } from './model-names.js'
import { isPulled } from './models-on-disk.js'
import { preflight } from './preflight.js'
import { probe } from './probe.js'
import { Readiness } from './readiness.js'
import { loadedAt, type Server } from './server-facts.js'
import { defaults, type OllamaSettings } from './settings.js'
import { contentAt, contentOnDisk, pinOf } from './weights-content.js'

/** One Ollama server. What is done to it beyond asking (pull, preload, empty) is done to launched ones only. */
export function createBackend(spec: NodeSpec<Partial<OllamaSettings>>, host: PluginHost): Backend {
  const { root } = openaiBase(spec.url)
  const headers = spec.apiKey === undefined ? {} : { authorization: `Bearer ${spec.apiKey}` }
  const server: Server = { root, host, headers }
  const isLaunched = spec.settings.pull !== undefined
  const settings: OllamaSettings = { ...defaults, ...spec.settings }
  const asked = askedModels(spec)
  const sources = spec.weights === undefined ? asked : [spec.weights]
  const readiness = isLaunched ? new Readiness(server, { asked, sources, settings }, host.log) : undefined
  return {
    minProbeIntervalMs: 500,
    strictModels: true,
    dialect: ollamaDialect(spec.url),
    // It serves a model under its own name only.
    ...(spec.model === undefined && spec.weights !== undefined ? { modelName: spec.weights } : {}),
    launchPlan: (slot) => launchPlan(settings, slot),
    probe: (signal) => probe({ server, spec, readiness, takesCloud: isLaunched && settings.cloud }, signal),
    load: (signal) => loadFacts(server, isLaunched || spec.model !== undefined ? asked : [], signal),
    models: createKeeper(server, isLaunched ? settings.keepAlive : undefined),
    ...weights(server, { spec, asked, sources, settings, isLaunched }),
    ...(readiness === undefined ? {} : { drain: drainRecipe(server, readiness) }),
    ...(isLaunched ? { preflight: (signal: AbortSignal) => preflight({ settings, sources, host, env: environmentOf(spec) }, signal) } : {}),
    ...(isLaunched ? memory(() => modelsFolder(settings, environmentOf(spec)), sources, settings) : {}),
    diagnose,
    loadingStep,
    // SIGTERM cuts every connection and kills the children at once: what shall end by itself has ended before.
    stop: [{ signal: 'SIGTERM', waitMs: 5_000 }],
  }
}

/** It tells which models are in memory and with what context; no count of running or waiting requests exists there. */
async function loadFacts(server: Server, asked: readonly string[], signal: AbortSignal): Promise<LoadFacts> {
  const loaded = (await loadedAt(server, signal)) ?? []
  const ours = asked.length === 0 ? loaded : loaded.filter(({ name }) => asked.some((each) => isSameModel(each, name)))
  const contexts = ours.flatMap(({ contextTokens }) => contextTokens ?? [])
  return {
    loadedModels: loaded.map(({ name }) => name),
    ...(contexts.length === 0 ? {} : { contextTokens: Math.min(...contexts) }),
  }
}

interface Weights {
  readonly spec: NodeSpec<Partial<OllamaSettings>>
  readonly asked: readonly string[]
  readonly sources: readonly string[]
  readonly settings: OllamaSettings
  readonly isLaunched: boolean
}

/** A launched server is not asked, for it need not run: its folder says the same. */
function weights(server: Server, { spec, asked, sources, settings, isLaunched }: Weights): Pick<Backend, 'content' | 'pin' | 'toFetch'> {
  const folderOf = () => modelsFolder(settings, environmentOf(spec))
  return {
    content: async (signal) => (isLaunched ? contentOnDisk(folderOf(), sources) : contentAt(server, asked, signal)),
    pin: (content) => pinOf(spec, asked, content),
    ...(isLaunched
      ? {
          async toFetch() {
            for (const model of sources) if (!(await isPulled(folderOf(), model))) return model
            return undefined
          },
        }
      : {}),
  }
}

/** On the processor it takes as much of main memory. */
function memory(
  folderOf: () => string,
  sources: readonly string[],
  settings: OllamaSettings,
): Pick<Backend, 'memoryNeed' | 'mainMemoryNeed' | 'fitOptions'> {
  const need = () => memoryNeed(folderOf(), sources, settings)
  return { memoryNeed: need, mainMemoryNeed: need, fitOptions: (room) => fitOptions(weightsOf(folderOf(), sources), settings, room) }
}

/** A secret that is missing is told by the launch itself. */
function environmentOf({ environment }: NodeSpec<Partial<OllamaSettings>>): Readonly<Record<string, string | undefined>> {
  try {
    return environment?.() ?? process.env
  } catch {
    return process.env
  }
}
