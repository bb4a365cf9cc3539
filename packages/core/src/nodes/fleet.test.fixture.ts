import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach } from 'vitest'
import { seededRandom, systemClock } from '../base/index.js'
import {
  silentLogger,
  type Backend,
  type EnginePlugin,
  type LoadingStep,
  type PluginHost,
  type PreflightFinding,
  type ProbeReport,
} from '../contracts/index.js'
import type { GroupPlan, LaunchSettings, PoolPlan, Topology } from '../topology/index.js'
import { plainGroup, plainPool, plainTopology } from '../topology/plain-plans.test.fixture.js'
import { Fleet } from './fleet.js'
import { stateFolderKey } from '../state/index.js'
import type { LeftEngine } from './leftovers.js'
import { createBelief, type Belief } from '../insight/index.js'
import { nodePlansOf, type NodePlan } from './node-plan.js'

export function launchGroup(script: string, launch: Partial<LaunchSettings> = {}): GroupPlan {
  return plainGroup({ settings: { script }, ...launch }, { name: 'sim' })
}

export function attachGroup(url: string): GroupPlan {
  return { name: 'far', engine: 'script', weight: 1, attach: { url } }
}

export function topologyOf(groups: readonly GroupPlan[], pool: Partial<PoolPlan> = {}): Topology {
  return plainTopology(plainPool(groups, pool))
}

export function nodePlan(): NodePlan {
  const plan = nodePlansOf(topologyOf([attachGroup('http://127.0.0.1:1')]))[0]
  if (plan === undefined) throw new Error('a topology without nodes')
  return plan
}

/** Answers 200 to everything on the port that it is told; `beforeListen` runs first. */
export const serverScript = (beforeListen = '') =>
  `${beforeListen};require('node:http').createServer((q, s) => s.end('ok')).listen(Number(process.env.SCRIPT_PORT), '127.0.0.1', () => console.log('listening'))`

const dialect: Backend['dialect'] = { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' }

interface ScriptSettings {
  readonly script?: string
  /** What the check before its launch says. */
  readonly findings?: readonly PreflightFinding[]
  /** It tells at `/empty`, by 200, whether it is. */
  readonly drains?: boolean
  /** It is put to sleep at `/sleep` and woken at `/wake`, where it answers 200; at `/asleep` it tells by 200 whether it sleeps. */
  readonly sleeps?: boolean
}

/** An engine that is a script of Node.js, given in its settings. */
const scriptEngine: EnginePlugin<ScriptSettings> = {
  apiVersion: 1,
  engine: 'script',
  settings: {},
  canLaunch: true,
  summary: 'for tests',
  createBackend: (spec) => ({
    launchPlan: (slot) => ({
      command: process.execPath,
      args: ['-e', spec.settings.script ?? ''],
      env: { SCRIPT_PORT: String(slot.port) },
      readyWithinMs: 60_000,
    }),
    probe: () => probe(spec.url),
    minProbeIntervalMs: 10,
    dialect,
    stop: [{ signal: 'SIGTERM', waitMs: 5000 }],
    loadingStep: lastStep,
    ...(spec.settings.findings === undefined ? {} : { preflight: () => Promise.resolve(spec.settings.findings ?? []) }),
    ...(spec.settings.sleeps === true
      ? {
          sleep: () => told(`${spec.url}/sleep`),
          wake: () => told(`${spec.url}/wake`),
          load: () => statusOf(`${spec.url}/asleep`).then((status) => ({ asleep: status === 200 })),
        }
      : {}),
    ...(spec.settings.drains === true ? { drain: { isEmpty: () => statusOf(`${spec.url}/empty`).then((status) => status === 200) } } : {}),
  }),
}

/** `step NAME N %` in its log. */
function lastStep(logTail: string): LoadingStep | undefined {
  const [, step = '', percent = ''] = [...logTail.matchAll(/step (\w+) (\d+) %/g)].at(-1) ?? []
  return step === '' ? undefined : { step, progress: Number(percent) / 100 }
}

async function told(url: string): Promise<void> {
  const status = await statusOf(url)
  if (status !== 200) throw new Error(`answered ${status}`)
}

function statusOf(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (answer) => {
      answer.resume()
      answer.on('close', () => resolve(answer.statusCode ?? 0))
    }).on('error', reject)
  })
}

function probe(url: string): Promise<ProbeReport> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (answer) => {
      answer.resume()
      answer.on('close', () => resolve({ verdict: 'ready' }))
    }).on('error', () => resolve({ verdict: 'sick', reason: 'does not answer (connection refused)' }))
  })
}

export interface TestFleet {
  readonly fleet: Fleet
  /** Name of its topology, and where its state would be kept. */
  readonly name: string
  readonly stateDir: string
  readonly leases: Belief
  /** States that a node went through. */
  readonly walk: (nodeId: string) => readonly string[]
  /** Probes once, as the probe loop would, and reports. */
  readonly judge: () => Promise<void>
  /** Probes until the node is in the state. */
  readonly until: (nodeId: string, state: string) => Promise<void>
}

const notInTests = (): never => {
  throw new Error('not in tests')
}
const host: PluginHost = { log: silentLogger, get: notInTests, send: notInTests, lines: notInTests, run: notInTests }

/** Makes fleets; those of a test are ended with their engines when it ends. */
export function fleetMaker(): (earlier?: { readonly of: TestFleet; readonly leftovers: readonly LeftEngine[] }) => TestFleet {
  const made: { fleet: Fleet; logDir: string }[] = []
  afterEach(async () => {
    for (const { fleet, logDir } of made.splice(0)) {
      await fleet.close({ drainMs: 0, engines: 'stop', forced: AbortSignal.abort() })
      rmSync(logDir, { recursive: true, force: true })
    }
  })
  return (earlier) => {
    const logDir = earlier?.of.stateDir ?? mkdtempSync(join(tmpdir(), 'lb-fleet-'))
    const leases = createBelief({ clock: systemClock, capacity: 64 })
    const engines = new Map([['script', scriptEngine as EnginePlugin]])
    const topologyName = earlier?.of.name ?? `test-${randomBytes(4).toString('hex')}`
    const fleet = new Fleet({
      clock: systemClock,
      random: seededRandom(1),
      log: silentLogger,
      leases,
      engines,
      host,
      env: process.env,
      logDir,
      topologyName,
      markKey: stateFolderKey(logDir),
      ...(earlier === undefined ? {} : { leftovers: earlier.leftovers }),
    })
    made.push({ fleet, logDir })
    return { ...watched(fleet, leases), name: topologyName, stateDir: logDir }
  }
}

function watched(fleet: Fleet, leases: Belief): Omit<TestFleet, 'name' | 'stateDir'> {
  const walks = new Map<string, string[]>()
  fleet.events.on('changed', ({ node, from, to }) => {
    if (from !== to) walks.set(node.id, [...(walks.get(node.id) ?? []), to])
  })
  const judge = async (): Promise<void> => {
    for (const node of fleet.nodes()) {
      const report = await node.endpoint?.backend.probe(AbortSignal.timeout(2000))
      if (report !== undefined) fleet.heard(node.id, report)
      if (report !== undefined) fleet.report(node.id, report.verdict === 'ready' ? 'steady' : 'bad', report)
    }
  }
  const until = async (nodeId: string, state: string): Promise<void> => {
    const deadlineMs = performance.now() + 15_000
    const stateOf = () => fleet.nodes().find((node) => node.id === nodeId)?.state
    while (stateOf() !== state) {
      if (performance.now() > deadlineMs) throw new Error(`${nodeId} is ${stateOf()}, not ${state}`)
      await judge()
      await sleep(10)
    }
  }
  return { fleet, leases, walk: (nodeId) => walks.get(nodeId) ?? [], judge, until }
}
