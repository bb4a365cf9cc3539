import type { Backend, NodeSpec, PluginHost } from '@plimsoll/core/plugin'
import { diagnose } from './diagnose.js'
import { llamacppDialect } from './dialect.js'
import { fitOptions } from './fit-options.js'
import { launchPlan, stopSteps } from './launch.js'
import { LoadReader, minAskIntervalMs } from './load.js'
import { loadingStep } from './loading-step.js'
import { mainMemoryNeed, memoryNeed } from './memory-need.js'
import { preflight } from './preflight.js'
import { createProbe } from './probe.js'
import { listModels, routerModels } from './router-models.js'
import { Server } from './server.js'
import type { LlamacppSettings } from './settings.js'
import { weightsContent, weightsHash, weightsPin, weightsThere, weightsToFetch } from './weights-content.js'

/** All that is known of one llama-server, launched or attached, single or router. */
export function createBackend(spec: NodeSpec<LlamacppSettings>, host: PluginHost, nowMs = () => performance.now()): Backend {
  const server = new Server(spec, host)
  const reader = new LoadReader({ server, settings: spec.settings, nowMs })
  return {
    minProbeIntervalMs: minAskIntervalMs,
    dialect: llamacppDialect(spec),
    launchPlan: (slot) => launchPlan(spec, slot),
    stop: stopSteps(spec.weights === undefined),
    probe: createProbe(server),
    load: (signal) => reader.read(signal),
    drain: { isEmpty: (signal) => reader.isEmpty(signal) },
    memoryNeed: () => memoryNeed(spec),
    mainMemoryNeed: () => mainMemoryNeed(spec),
    fitOptions: (room) => fitOptions(spec, room),
    preflight: (signal) => preflight(spec, host, signal),
    loadingStep,
    diagnose,
    content: () => weightsContent(spec),
    contentHash: (signal) => weightsHash(spec, signal),
    weightsThere: () => weightsThere(spec),
    pin: (content) => weightsPin(spec, content),
    toFetch: () => weightsToFetch(spec),
    // A launched one with weights has them for life.
    models: spec.weights === undefined ? routerModels(server) : { list: (signal) => listModels(server, signal) },
  }
}
