import type { Backend, Dialect, LoadFacts, Logger, ProbeReport } from '../contracts/index.js'
import { LbError, messageOf } from '../errors/index.js'
import { guardDialect } from './guard-dialect.js'

/** Every member of a backend; the compiler sees to it that none is forgotten. */
const members = {
  launchPlan: true,
  probe: true,
  load: true,
  memoryNeed: true,
  mainMemoryNeed: true,
  fitOptions: true,
  gpuIds: true,
  preflight: true,
  extraPorts: true,
  loadingStep: true,
  loadFromLog: true,
  diagnose: true,
  drain: true,
  models: true,
  content: true,
  contentHash: true,
  weightsThere: true,
  pin: true,
  toFetch: true,
  sleep: true,
  wake: true,
  cacheEvents: true,
  minProbeIntervalMs: true,
  dialect: true,
  modelName: true,
  strictModels: true,
  stop: true,
} satisfies Record<keyof Backend, true>

const MOST_EXTRA_PORTS = 64

/** A plugin is somebody else's code: what createBackend gave is looked at once, and what it says about its engine each time, so that the rest may trust it. Throws where it is no backend. */
export function guardBackend(given: Backend, engine: string, log: Logger): Backend {
  checkShape(given)
  const own = Object.entries(given as unknown as Record<string, unknown>).filter(([name]) => !(name in members))
  const guarded = Object.fromEntries([...own, ...Object.keys(members).flatMap((name) => boundMember(given, name))])
  return {
    ...(guarded as unknown as Backend),
    dialect: guardDialect(given.dialect, (what, error) => log.error('plugin.dialect_failed', { engine, what, error })),
    probe: async (signal) => checkedReport(await named(engine, 'probe', () => given.probe(signal)), engine),
    ...(given.load === undefined
      ? {}
      : { load: async (signal) => checkedFacts(await named(engine, 'load', async () => given.load?.(signal)), engine) }),
  }
}

/** A backend may be an instance of a class: its methods keep their `this`. */
function boundMember(backend: Backend, name: string): [string, unknown][] {
  const value = (backend as unknown as Record<string, unknown>)[name]
  if (value === undefined) return []
  return [[name, typeof value === 'function' ? (value.bind(backend) as unknown) : value]]
}

function checkShape(given: Backend | undefined | null): asserts given is Backend {
  if (typeof given !== 'object' || given === null)
    throw new Error(`createBackend gave ${given === null ? 'null' : typeof given}, no backend`)
  if (typeof given.probe !== 'function') throw new Error('its backend has no probe')
  const { minProbeIntervalMs, dialect, extraPorts = 0 } = given
  // Zero or NaN would ask the engine without end.
  if (!(typeof minProbeIntervalMs === 'number' && minProbeIntervalMs >= 1))
    throw new Error(`its minProbeIntervalMs is ${String(minProbeIntervalMs)}, no number of 1 or more`)
  if (!(Number.isInteger(extraPorts) && extraPorts >= 0 && extraPorts <= MOST_EXTRA_PORTS))
    throw new Error(`its extraPorts is ${String(extraPorts)}, no number from 0 to ${MOST_EXTRA_PORTS}`)
  const { paths, headers, classify, streamEnd } = (dialect ?? {}) as Partial<Dialect>
  if (typeof paths !== 'object' || typeof headers !== 'object' || typeof classify !== 'function' || typeof streamEnd !== 'function')
    throw new Error('its dialect lacks paths, headers, classify or streamEnd')
}

function checkedReport(report: ProbeReport | undefined, engine: string): ProbeReport {
  const { verdict, reason } = (report ?? {}) as { verdict?: unknown; reason?: unknown }
  if (report !== undefined && (verdict === 'ready' || ((verdict === 'loading' || verdict === 'sick') && typeof reason === 'string')))
    return report
  throw failed(engine, 'probe', `it answered ${shown(report)}, no verdict`)
}

function checkedFacts(facts: LoadFacts | undefined, engine: string): LoadFacts {
  if (typeof facts === 'object' && facts !== null) return facts
  throw failed(engine, 'load', `it answered ${shown(facts)}, no facts`)
}

/** What fails by a slip of the plugin is called so; what its engine or the network did keeps its own words. */
async function named<Value>(engine: string, what: string, ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask()
  } catch (cause) {
    throw isSlip(cause) ? failed(engine, what, messageOf(cause), cause) : cause
  }
}

function isSlip(thrown: unknown): boolean {
  const { name, cause } = (thrown ?? {}) as { name?: unknown; cause?: { code?: unknown } }
  // `fetch` reports the network's failures as TypeErrors, with the true error inside.
  return ['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError'].includes(String(name)) && cause?.code === undefined
}

function failed(engine: string, what: string, why: string, cause?: unknown): LbError {
  return new LbError(`the plugin of engine \`${engine}\` failed in its ${what}: ${why}`, {
    code: 'LB_PLUGIN_FAILED',
    source: 'operator',
    cause,
  })
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? typeof value).slice(0, 100)
}
