import { join } from 'node:path'
import { findMarked, proveOwnEngine, stopTree, type MarkedProcess } from '../machines/index.js'
import type { StopStep } from '../contracts/index.js'
import { standInSteps } from './remote-launch.js'
import { stateFolderKey, type RecordedNode, type StateFile } from '../state/index.js'

/** An engine that runs although its balancer does not. */
export type LeftEngine = RecordedNode & { readonly process: NonNullable<RecordedNode['process']> }

/** What a killed balancer left running. */
export interface Leftovers {
  /** Written down, and proven to be ours. */
  readonly engines: readonly LeftEngine[]
  /** Nobody wrote them down, or their leader has ended; they carry a mark of this topology. */
  readonly orphans: readonly MarkedProcess[]
  /** Written down, but what lives there is not ours: no signal is ever sent. */
  readonly strangers: readonly { readonly id: string; readonly why: string }[]
}

export interface LeftoverQuery {
  /** Of the topology. */
  readonly name: string
  /** Where it keeps its state and the logs of its nodes. */
  readonly paths: { readonly stateDir: string; readonly logDir: string }
  /** Undefined where the file is gone or torn: marks still tell. */
  readonly state: StateFile | undefined
}

export interface ReapedLeftovers {
  /** Node ids whose engines were still running and are ended now. */
  readonly stopped: readonly string[]
  /** Node ids whose recorded process is not ours: no signal was sent. Each with its reason. */
  readonly strangers: readonly { readonly id: string; readonly why: string }[]
}

/** Short: nobody is served any more by what is reaped. */
const STEPS = [{ signal: 'SIGTERM', waitMs: 2_500 }] as const

/** First part of the mark of a node's engine; what follows is new with each launch. */
export function markPrefix(name: string, nodeId: string): string {
  return `${name}/${nodeId}/`
}

/** Where the output of a node's engine goes. */
export function nodeLogPath(logDir: string, nodeId: string): string {
  return join(logDir, `${nodeId.replaceAll('/', '.')}.log`)
}

/** Looks for what an earlier balancer of this topology left. Sends nothing. */
export async function findLeftovers({ name, paths, state }: LeftoverQuery): Promise<Leftovers> {
  const engines: LeftEngine[] = []
  const strangers: { id: string; why: string }[] = []
  for (const node of state?.name === name ? state.nodes : []) {
    if (node.process === undefined || typeof node.process !== 'object' || node.mark === '') continue
    const { process: identity, ...rest } = node
    if (!node.mark.startsWith(markPrefix(name, node.id))) strangers.push({ id: node.id, why: 'its mark is not one of this topology' })
    else {
      const proof = await proveOwnEngine({ identity, mark: node.mark, logPath: nodeLogPath(paths.logDir, node.id) })
      if (proof.is === 'ours') engines.push({ ...rest, process: identity })
      if (proof.is === 'stranger') strangers.push({ id: node.id, why: proof.why })
    }
  }
  const recorded = new Set((state?.name === name ? state.nodes : []).map((node) => node.mark))
  const living = new Set(engines.map((engine) => engine.mark))
  const key = `/${stateFolderKey(paths.stateDir)}-`
  const orphans = await findMarked((mark) => {
    if (living.has(mark) || !mark.startsWith(`${name}/`)) return false
    return recorded.has(mark) || mark.includes(key)
  })
  return { engines, orphans, strangers }
}

/** Ends engines and orphans, each with all that it started. */
export async function endLeftovers({ engines, orphans, strangers }: Leftovers): Promise<ReapedLeftovers> {
  const marks = new Map(orphans.map(({ mark, row }) => [mark, row]))
  await Promise.all([
    ...engines.map((engine) => stopTree({ identity: engine.process, mark: engine.mark, steps: stepsOf(engine) })),
    ...[...marks.keys()].map((mark) => endMarked(mark)),
  ])
  const ids = [...engines.map((engine) => engine.id), ...[...marks.keys()].map(nodeOf)]
  return { stopped: [...new Set(ids)].sort(), strangers }
}

/** Only its stand-in can reach an engine on another machine. */
function stepsOf({ launch }: LeftEngine): readonly StopStep[] {
  return launch?.host === undefined ? STEPS : standInSteps(undefined, true)
}

/** Nothing is known of them but the mark: they are found by it alone. */
async function endMarked(mark: string): Promise<void> {
  await stopTree({ identity: { pid: 0, startTime: '', bootId: '' }, mark, steps: STEPS })
}

/** `demo/pool/node/nonce` is about `pool/node`. */
function nodeOf(mark: string): string {
  return mark.split('/').slice(1, -1).join('/')
}

/** Node ids of engines and orphans that still run. */
export async function runningLeftovers(query: LeftoverQuery): Promise<string[]> {
  const { engines, orphans } = await findLeftovers(query)
  return [...new Set([...engines.map((engine) => engine.id), ...orphans.map(({ mark }) => nodeOf(mark))])].sort()
}
