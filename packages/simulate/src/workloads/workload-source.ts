import { fileURLToPath } from 'node:url'
import { LbError } from '@plimsoll/core/routing'
import type { PresetName } from '@plimsoll/engine-model'
import type { Workload } from '../workload.js'
import { randomShape } from './random-shape.js'
import { readTrace } from './read-trace.js'
import { meansOf } from './shape.js'
import { shapeWorkload } from './shape-workload.js'
import { namedShapes, type NamedShape } from './shapes.js'
import { traceWorkload, type Trace } from './trace.js'

/** How much of a source one run takes. */
export interface WorkloadRequestOptions {
  readonly seed: number
  /** Default: all of a trace, five minutes of a generated workload, at most 30,000 requests. */
  readonly requests?: number
  /** Of a trace, which stretch, as ratios of 0 to 1; a generated workload has other requests by its seed. */
  readonly part?: readonly [from: number, to: number]
}

/** Where workloads come from: a generator or a trace, with the fleet and the rate that it is meant for. */
export interface WorkloadSource {
  readonly name: string
  readonly summary: string
  readonly kind: 'generated' | 'trace'
  /** Absent where nobody knows: a trace of the user's own. */
  readonly profile?: PresetName
  /** Multiple of its own rate that 8 nodes of the profile are meant to serve. */
  readonly ratePer8: number
  /** Of a trace: how many there are. Absent: as many as one wants. */
  readonly requests?: number
  readonly workload: (options: WorkloadRequestOptions) => Workload
}

interface ShippedTrace {
  readonly file: string
  readonly summary: string
  readonly profile: PresetName
  readonly ratePer8: number
}

/** Rates: those of `design/routing.md`; that of code is where 8 nodes are nearly full. */
const shippedTraces = {
  mooncake: {
    file: 'mooncake-conversation.csv.gz',
    summary: 'one hour of conversations at Kimi, with shared prefixes (12,031 requests)',
    profile: '8b-h100',
    ratePer8: 2.4,
  },
  azure: {
    file: 'azure-2023-conversation.csv.gz',
    summary: 'one hour of conversations at Azure, prefixes unknown (19,366 requests)',
    profile: '8b-a100',
    ratePer8: 7.2,
  },
  'azure-code': {
    file: 'azure-2023-code.csv.gz',
    summary: 'one hour of code completion at Azure, prefixes unknown (8,819 requests)',
    profile: '8b-a100',
    ratePer8: 12,
  },
} as const satisfies Record<string, ShippedTrace>

/** One run of a generated workload, where nobody says how many requests. */
const GENERATED_SECONDS = 300
const MOST_GENERATED = 30_000

/** Names that `--trace` takes besides files, with what they are. */
export const sourceNames: readonly { readonly name: string; readonly summary: string }[] = [
  ...Object.entries<NamedShape>(namedShapes),
  ...Object.entries<ShippedTrace>(shippedTraces),
].map(([name, { summary }]) => ({ name, summary }))

/** By name, else from a file: CSV or a request log. Throws LB_BAD_TRACE. */
export function openSource(nameOrFile: string, pool?: string): WorkloadSource {
  const shape = own<NamedShape>(namedShapes, nameOrFile)
  if (shape !== undefined) return generatedSource(nameOrFile, shape, 1)
  const shipped = own<ShippedTrace>(shippedTraces, nameOrFile)
  if (shipped === undefined) return traceSource(readTrace(nameOrFile, pool))
  const { file, ...meant } = shipped
  const trace = readTrace(fileURLToPath(new URL(`../../traces/${file}`, import.meta.url)))
  return { ...traceSource({ ...trace, name: nameOrFile }), ...meant }
}

/** A workload that nobody has seen before, by its number. Throws LB_BAD_TRACE for what is no number. */
export function blindSource(seed: number): WorkloadSource {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new LbError(`${seed} is no seed`, { code: 'LB_BAD_TRACE', source: 'operator', hint: 'a seed is a whole number of 0 or more' })
  const { shape, profile, sessionsPerSecond, level } = randomShape(seed)
  const summary = `drawn by seed ${seed}: about ${Math.round(100 * level)} % of what 8 nodes can do`
  return generatedSource(`blind-${seed}`, { summary, profile, sessionsPerSecond, shape }, 1)
}

function generatedSource(name: string, { summary, profile, sessionsPerSecond, shape }: NamedShape, ratePer8: number): WorkloadSource {
  const usual = Math.min(MOST_GENERATED, Math.ceil(GENERATED_SECONDS * sessionsPerSecond * meansOf(shape).requestsPerSession))
  const workload: WorkloadSource['workload'] = ({ seed, requests = usual }) =>
    shapeWorkload(shape, { name, seed, sessionsPerSecond, requests })
  return { name, summary, kind: 'generated', profile, ratePer8, workload }
}

/** A trace that was read, at its own rate. */
export function traceSource(trace: Trace): WorkloadSource {
  const summary = `a trace of ${trace.requests} requests`
  return {
    name: trace.name,
    summary,
    kind: 'trace',
    ratePer8: 1,
    requests: trace.requests,
    workload: (options) => traceWorkload(trace, options),
  }
}

function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
