import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import type { Gpu } from '../contracts/index.js'
import { readJson, writeFileDurable } from './durable-file.js'

/** Names one life of a process; machines/identity.ts makes and checks it. */
export interface RecordedProcess {
  readonly pid: number
  readonly startTime: string
  readonly bootId: string
}

/** What the next balancer needs to take a running engine over. */
export interface RecordedLaunch {
  /** Of all that would be launched; equal where a new launch would make the same engine. */
  readonly hash: string
  readonly port: number
  readonly extraPorts: readonly number[]
  /** Accelerators that it was put on; absent where nobody chose. */
  readonly gpus?: readonly Gpu[]
  /** The machine that it runs on; absent: this one. */
  readonly host?: string
  /** Epoch. */
  readonly startedAtMs: number
  /** Where its part of the log file begins, in bytes. */
  readonly logFrom: number
}

export interface RecordedNode {
  readonly id: string
  readonly engine: string
  readonly url: string
  /** Absent for attached nodes and while none runs. */
  readonly process?: RecordedProcess
  /** Value of LB_NODE in the environment of the engine and all that it starts. */
  readonly mark: string
  readonly logPath?: string
  /** Of a launched engine. */
  readonly launch?: RecordedLaunch
}

/** What a balancer writes down about itself, so that the next command can see, stop or explain what runs. */
export interface StateFile {
  readonly v: 1
  readonly name: string
  /** The topology file, where there is one. */
  readonly file?: string
  readonly startedAtMs: number
  readonly balancer: RecordedProcess
  readonly keeper?: RecordedProcess
  /** Base URLs of the gateway. */
  readonly listen: readonly string[]
  /** The certificate that the gateway shows, where it speaks TLS. */
  readonly certFile?: string
  readonly nodes: readonly RecordedNode[]
}

/** Undefined when there is none, or it is torn or of another version. */
export function readState(path: string): StateFile | undefined {
  const found = readJson(path) as Partial<StateFile> | undefined | null
  if (typeof found !== 'object' || found === null || found.v !== 1) return undefined
  const { name, balancer, nodes, listen } = found
  const whole = typeof name === 'string' && typeof balancer?.pid === 'number' && Array.isArray(listen) && Array.isArray(nodes)
  return whole && nodes.every(isRecorded) ? (found as StateFile) : undefined
}

function isRecorded(node: Partial<RecordedNode> | null): boolean {
  return typeof node?.id === 'string' && typeof node.mark === 'string'
}

export function writeState(path: string, state: StateFile): void {
  writeFileDurable(path, `${JSON.stringify(state, null, 2)}\n`)
}

export function removeState(path: string): void {
  rmSync(path, { force: true })
}

/** Names the folder that a topology keeps its state in. It stands in the mark of each engine, so that two topologies of one name tell theirs apart. */
export function stateFolderKey(stateDir: string): string {
  return createHash('sha256').update(stateDir).digest('hex').slice(0, 8)
}
