import { type Backend, type LaunchSlot, LbError, type NodeSpec, type PluginHost } from '@plimsoll/core/plugin'
import { Adapters } from './adapters.js'
import { askEngine } from './ask-engine.js'
import { checkSettings } from './check-settings.js'
import { diagnose } from './diagnose.js'
import { vllmDialect } from './dialect.js'
import { EngineWatch } from './engine-watch.js'
import { expertBalance } from './expert-balance.js'
import { fitOptions } from './fit-options.js'
import { cacheEvents, type CacheEventPorts } from './kv-events/index.js'
import { launchPlan } from './launch.js'
import { loadingStep } from './loading-step.js'
import { memoryNeed } from './memory-need.js'
import { extraPortCount, portUse } from './port-use.js'
import { preflight } from './preflight.js'
import type { VllmSettings } from './settings.js'
import { sleeping } from './sleeping.js'
import { weightsContent, weightsHash, weightsPin, weightsThere, weightsToFetch } from './weights-content.js'

/** After the time for running requests: workers let go of the GPU. */
const STOP_MS = 10_000

export function createBackend(spec: NodeSpec<VllmSettings>, host: PluginHost): Backend {
  const { settings } = spec
  checkSettings(spec.id, settings)
  const ask = askEngine(spec, host)
  const watch = new EngineWatch(spec, host)
  const adapters = new Adapters(ask, settings)
  let slot: LaunchSlot | undefined
  return {
    launchPlan(given) {
      const plan = launchPlan(spec, given)
      slot = given
      return plan
    },
    extraPorts: extraPortCount(settings),
    gpuIds: 'index',
    probe: (signal) => watch.probe(signal),
    load: (signal) => watch.load(signal),
    memoryNeed: () => memoryNeed(spec),
    fitOptions: (room) => fitOptions(spec, room),
    preflight: (signal) => preflight(spec, { host, gpus: slot?.gpus, signal }),
    loadingStep,
    ...(settings.eplb?.logBalancedness === true ? { loadFromLog: expertBalance } : {}),
    diagnose,
    drain: { isEmpty: (signal) => watch.isEmpty(signal) },
    models: {
      list: (signal) => adapters.list(signal),
      ...(settings.runtimeLoras === true
        ? { load: (model, signal) => adapters.load(model, signal), unload: (model, signal) => adapters.unload(model, signal) }
        : {}),
    },
    content: () => weightsContent(spec),
    contentHash: (signal) => weightsHash(spec, signal),
    weightsThere: () => weightsThere(spec),
    pin: (content) => weightsPin(spec, content),
    toFetch: () => weightsToFetch(spec),
    ...(settings.sleepMode === true ? sleeping(ask) : {}),
    ...(settings.kvEvents === true ? { cacheEvents: (signal) => cacheEvents(eventPorts(spec, slot), signal) } : {}),
    minProbeIntervalMs: 500,
    strictModels: true,
    dialect: vllmDialect(spec.url, settings.schedulingPolicy === 'priority'),
    stop: [{ signal: 'SIGTERM', waitMs: (settings.shutdownTimeout ?? 0) * 1000 + STOP_MS }],
  }
}

/** Ports are known once it was launched, or taken over as it was launched. */
function eventPorts({ id, settings }: NodeSpec<VllmSettings>, slot: LaunchSlot | undefined): CacheEventPorts {
  const ports = slot === undefined ? undefined : portUse(settings, slot.extraPorts).kvEvents
  if (ports !== undefined) return ports
  throw new LbError(`${id} is not launched: nobody tells where its cache events come`, { code: 'LB_NODE_NOT_LAUNCHED', source: 'lb' })
}
