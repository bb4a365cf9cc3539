import type { Finding } from './finding.js'
import { placeName, recordOf, valueAt, type KeyPath } from './key-path.js'
import { formatDuration, formatSize, parseDuration, parseSize } from './quantities.js'

interface Bound {
  /** Below a pool, or below the gateway. */
  readonly path: KeyPath
  readonly min: number
  readonly max: number
  /** A duration where nothing else is said. */
  readonly kind?: 'size'
  /** Zero has a meaning of its own, also where `min` is more. */
  readonly zero?: true
}

const dayMs = 86_400_000
const gibibyte = 1024 ** 3

/** A probe loop without a pause, or a wait beyond what timers can hold, is never meant. */
const poolBounds: readonly Bound[] = [
  { path: ['timeouts', 'connect'], min: 10, max: 600_000 },
  { path: ['timeouts', 'firstToken'], min: 100, max: dayMs },
  { path: ['timeouts', 'idle'], min: 100, max: dayMs },
  { path: ['health', 'interval'], min: 100, max: dayMs },
  { path: ['health', 'timeout'], min: 10, max: 600_000 },
  { path: ['health', 'eject', 'window'], min: 1000, max: 3_600_000 },
  { path: ['health', 'eject', 'first'], min: 100, max: 3_600_000 },
  { path: ['health', 'eject', 'longest'], min: 100, max: 3_600_000 },
  { path: ['health', 'hung', 'after'], min: 1000, max: dayMs },
  { path: ['health', 'hung', 'restartAfter'], min: 1000, max: dayMs },
  { path: ['health', 'canary', 'every'], min: 1000, max: dayMs },
  { path: ['health', 'canary', 'within'], min: 100, max: 600_000 },
  { path: ['health', 'slowStart'], min: 1000, max: 3_600_000, zero: true },
  { path: ['drain'], min: 0, max: dayMs },
  { path: ['residency', 'idleUnload'], min: 100, max: 365 * dayMs },
  { path: ['residency', 'minResident'], min: 0, max: dayMs },
  { path: ['residency', 'wakeWithin'], min: 100, max: dayMs },
  { path: ['retries', 'within'], min: 100, max: dayMs },
  { path: ['retries', 'wait'], min: 0, max: 3_600_000 },
  { path: ['retries', 'loading'], min: 0, max: dayMs },
  { path: ['retries', 'pause', 'first'], min: 1, max: 600_000 },
  { path: ['retries', 'pause', 'longest'], min: 1, max: 600_000 },
  { path: ['retries', 'hedge', 'after'], min: 1, max: dayMs },
  { path: ['rollout', 'hold'], min: 0, max: 7 * dayMs },
  { path: ['rollout', 'keepOld'], min: 0, max: 7 * dayMs },
  { path: ['rollout', 'progress'], min: 1000, max: 7 * dayMs },
]
const launchBounds: readonly Bound[] = [
  { path: ['launch', 'readyWithin'], min: 100, max: dayMs },
  { path: ['launch', 'restarts', 'within'], min: 1000, max: 7 * dayMs },
  { path: ['launch', 'replicas', 'target', 'ttft'], min: 1, max: dayMs },
  { path: ['launch', 'replicas', 'upAfter'], min: 0, max: dayMs },
  { path: ['launch', 'replicas', 'downAfter'], min: 0, max: dayMs },
  { path: ['launch', 'replicas', 'cooldown'], min: 0, max: dayMs },
  { path: ['launch', 'replicas', 'idle'], min: 1000, max: 30 * dayMs },
  { path: ['launch', 'replicas', 'provider', 'timeout'], min: 1000, max: dayMs },
]
const gatewayBounds: readonly Bound[] = [
  { path: ['maxBody'], kind: 'size', min: 1024, max: gibibyte },
  { path: ['maxBodies'], kind: 'size', min: 1024, max: 1024 * gibibyte },
  { path: ['cors', 'maxAge'], min: 0, max: dayMs },
  { path: ['heartbeat'], min: 1000, max: 3_600_000, zero: true },
  { path: ['requestLog', 'maxSize'], kind: 'size', min: 1024, max: 1024 * gibibyte },
]

/** Durations and sizes that parse, but lie outside what makes sense. */
export function checkQuantities(root: unknown): Finding[] {
  const pools = Object.entries(recordOf(recordOf(root)['pools'])).filter(([name]) => !name.startsWith('x-'))
  return [
    ...gatewayBounds.flatMap((bound) => checkBound(root, { ...bound, path: ['gateway', ...bound.path] })),
    ...pools.flatMap(([name, pool]) => poolFindings(root, name, recordOf(pool)['nodes'])),
  ]
}

function poolFindings(root: unknown, pool: string, nodes: unknown): Finding[] {
  const count = Array.isArray(nodes) ? nodes.length : 0
  const ofNodes = Array.from({ length: count }, (_, index) =>
    launchBounds.map((bound) => ({ ...bound, path: ['nodes', index, ...bound.path] })),
  )
  return [...poolBounds, ...ofNodes.flat()].flatMap((bound) => checkBound(root, { ...bound, path: ['pools', pool, ...bound.path] }))
}

function checkBound(root: unknown, bound: Bound): Finding[] {
  const text = valueAt(root, bound.path)
  if (typeof text !== 'string') return []
  const isSize = bound.kind === 'size'
  const amount = isSize ? parseSize(text) : parseDuration(text)
  if (amount !== undefined && amount >= bound.min && amount <= bound.max) return []
  if (amount === 0 && bound.zero === true) return []
  // What does not parse is the schema's to tell, except for numbers beyond any integer.
  if (amount === undefined && !/^[0-9.]+[A-Za-z]+$/.test(text)) return []
  const format = isSize ? formatSize : formatDuration
  return [
    {
      path: bound.path,
      at: 'value',
      message: `${placeName(bound.path)} cannot be \`${text}\``,
      expected: `${bound.zero === true ? '0s, or ' : ''}${format(bound.min)} to ${format(bound.max)}`,
    },
  ]
}
