import { resolve } from 'node:path'
import { defaultStrategyName, type StrategyRegistry } from '@plimsoll/core'
import {
  isRequestLog,
  logTrace,
  parseRequestLog,
  readPlain,
  simulate,
  traceSource,
  type RequestLog,
  type SimulatedNode,
} from '@plimsoll/simulate'
import { wrongInput } from '../wrong-input.js'
import { fitSlowness, slower } from './fit-slowness.js'
import { measureLog } from './measure-log.js'
import { parseStrategies, type LabelledStrategy } from './parse-strategies.js'
import { knowingTheMachine, type OnRun } from './run-simulations.js'
import { simulatedFleet, type FleetFlags } from './simulated-fleet.js'
import { simulatedStrategies } from './simulated-strategies.js'
import type { ReplayReport } from '../views/replay-text.js'
import type { LabelledResult } from '../views/simulation-text.js'

export interface ReplayFlags extends Omit<FleetFlags, 'nodes'> {
  readonly log: string
  /** Counts to try, as typed. */
  readonly nodes?: string | undefined
  readonly strategy?: string | undefined
  readonly was?: string | undefined
  readonly requests?: number | undefined
  readonly seed: number
  readonly fit: boolean
}

const USUAL_PROFILE = '8b-h100'
const USUAL_STRATEGIES = 'lmetric,marginal-cost'
const MOST_NODES = 4096

/** The same requests once more, against other strategies or numbers of nodes. Throws LB_WRONG_INPUT, LB_BAD_TRACE and those of a topology. */
export async function replayLog(flags: ReplayFlags, onRun: OnRun): Promise<ReplayReport> {
  const file = resolve(flags.cwd, flags.log)
  const log = readLog(file, flags.pool)
  const source = traceSource(logTrace(flags.log, log.requests))
  const logged = new Set(log.requests.flatMap(({ node }) => node ?? [])).size
  const { nodes: counts, seed, requests, ...fleetFlags } = flags
  const registry = await simulatedStrategies(flags.pluginRoots, flags.strategy, flags.was)
  const fleet = await simulatedFleet(fleetFlags, { nodes: Math.max(1, logged), profile: USUAL_PROFILE })
  const was =
    flags.was === undefined
      ? (fleet.strategy ?? parseStrategies(defaultStrategyName, registry)[0])
      : parseStrategies(flags.was, registry)[0]
  if (was === undefined) throw wrongInput('--was names no strategy', 'write --was round-robin')
  const measured = measureLog(log.requests)
  const slowness = flags.fit
    ? fitSlowness({ source, nodes: fleet.nodes, strategy: knowingTheMachine(was, { ...fleet, registry }), registry, measured, seed })
    : 1
  const nodes = slower(fleet.nodes, slowness)
  const others = strategiesBeside(was, flags.strategy, registry)
  const runs = [{ strategy: was, nodes }, ...fleetsOf(counts, nodes).flatMap((each) => others(each, nodes))]
  const results: LabelledResult[] = []
  for (const [at, { strategy, nodes: each }] of runs.entries()) {
    onRun(at, runs.length, `${strategy.label} with ${each.length} nodes`)
    await new Promise((done) => setImmediate(done))
    const workload = source.workload({ seed, ...(requests === undefined ? {} : { requests }) })
    const told = knowingTheMachine(strategy, { nodes: each, registry })
    results.push({
      ...simulate({ nodes: each, workload, strategy: told, registry, seed, warmupShare: 0, toTheEnd: true }),
      label: strategy.label,
    })
  }
  const span = (log.requests.at(-1)?.arrivedAtMs ?? 0) - (log.requests[0]?.arrivedAtMs ?? 0)
  const { pool, leftOut } = log
  return {
    log: { file: flags.log, pool, requests: log.requests.length, leftOut, spanMs: span, nodes: logged, measured },
    slowness,
    profile: fleet.nodes[0]?.preset ?? USUAL_PROFILE,
    results,
  }
}

function readLog(file: string, pool: string | undefined): RequestLog {
  const bytes = readPlain(file)
  if (isRequestLog(bytes)) return parseRequestLog(bytes, file, pool)
  throw wrongInput(`${file} is no request log of lb`, 'gateway.requestLog of a topology writes one; lb simulate --trace takes CSV')
}

interface Placed {
  readonly strategy: LabelledStrategy
  readonly nodes: readonly SimulatedNode[]
}

/** What to run with a fleet: the other strategies, and what ran where the fleet is another one. */
function strategiesBeside(
  was: LabelledStrategy,
  text: string | undefined,
  registry: StrategyRegistry,
): (nodes: Placed['nodes'], before: Placed['nodes']) => Placed[] {
  const named = parseStrategies(text ?? USUAL_STRATEGIES, registry).filter(({ label }) => label !== was.label)
  return (nodes, before) =>
    (nodes.length === before.length ? named : text === undefined ? [was] : [was, ...named]).map((strategy) => ({ strategy, nodes }))
}

/** `4,6,8`: the nodes that were there, fewer of them or more of the same. */
function fleetsOf(counts: string | undefined, nodes: readonly SimulatedNode[]): (readonly SimulatedNode[])[] {
  if (counts === undefined) return [nodes]
  return counts.split(',').map((text) => {
    const count = Number(text.trim() === '' ? Number.NaN : text)
    if (!Number.isInteger(count) || count < 1 || count > MOST_NODES)
      throw wrongInput(`--nodes ${counts}: "${text}" is no number of nodes`, 'write --nodes 6 or --nodes 4,6,8')
    return Array.from({ length: count }, (_, at) => nodes[at % nodes.length] ?? { preset: USUAL_PROFILE })
  })
}
