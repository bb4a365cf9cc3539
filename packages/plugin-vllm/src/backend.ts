import type { Backend, NodeSpec, PluginHost } from '@plimsoll/core/plugin'
import { Adapters } from './adapters.js'
import { askEngine } from './ask-engine.js'
import { checkSettings } from './check-settings.js'
import { diagnose } from './diagnose.js'
import { vllmDialect } from './dialect.js'
import { EngineWatch } from './engine-watch.js'
import { launchPlan } from './launch.js'
import { loadingStep } from './loading-step.js'
import { memoryNeed } from './memory-need.js'
import { extraPortCount } from './port-use.js'
import { preflight } from './preflight.js'
import type { VllmSettings } from './settings.js'
import { sleeping } from './sleeping.js'

/** After the time for running requests: workers let go of the GPU. */
const STOP_MS = 10_000

export function createBackend(spec: NodeSpec<VllmSettings>, host: PluginHost): Backend {
  const { settings } = spec
  checkSettings(spec.id, settings)
  const ask = askEngine(spec, host)
  const watch = new EngineWatch(spec, host)
  const adapters = new Adapters(ask, settings)
  return {
    launchPlan: (slot) => launchPlan(spec, slot),
    extraPorts: extraPortCount(settings),
    gpuIds: 'index',
    probe: (signal) => watch.probe(signal),
    load: (signal) => watch.load(signal),
    memoryNeed: () => memoryNeed(spec),
    preflight: (signal) => preflight(spec, host, signal),
    loadingStep,
    diagnose,
    drain: { isEmpty: (signal) => watch.isEmpty(signal) },
    models: {
      list: (signal) => adapters.list(signal),
      ...(settings.runtimeLoras === true
        ? { load: (model, signal) => adapters.load(model, signal), unload: (model, signal) => adapters.unload(model, signal) }
        : {}),
    },
    ...(settings.sleepMode === true ? sleeping(ask) : {}),
    minProbeIntervalMs: 500,
    dialect: vllmDialect(spec.url, settings.schedulingPolicy === 'priority'),
    stop: [{ signal: 'SIGTERM', waitMs: (settings.shutdownTimeout ?? 0) * 1000 + STOP_MS }],
  }
}
