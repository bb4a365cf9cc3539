import type { Finding } from './finding.js'
import { listOf, recordOf, type KeyPath } from './key-path.js'
import { parseDuration, parsePercent } from './quantities.js'

/** The most that there may be, where that is known. */
export function mostReplicas(replicas: unknown): unknown {
  return typeof replicas === 'object' && replicas !== null ? recordOf(replicas)['max'] : replicas
}

/** `launch.replicas` that follow the load: what the schema cannot see. */
export function checkScale(replicas: unknown, path: KeyPath): Finding[] {
  if (typeof replicas !== 'object') return []
  const { min, max, target, schedule, triggers, provider } = recordOf(replicas)
  if (typeof min === 'number' && typeof max === 'number' && min > max)
    return [
      {
        path: [...path, 'max'],
        at: 'value',
        message: `at least ${min} and at most ${max} contradict each other`,
        expected: `${min} or more`,
      },
    ]
  return [
    ...checkKvUsed(recordOf(target)['kvUsed'], [...path, 'target', 'kvUsed']),
    ...listOf(schedule).flatMap((entry, at) => checkFloor(recordOf(entry), max, [...path, 'schedule', at])),
    ...listOf(triggers).flatMap((entry, at) => [
      ...checkTrigger(recordOf(entry), [...path, 'triggers', at]),
      ...checkEvery(recordOf(entry)['every'], [...path, 'triggers', at, 'every']),
    ]),
    ...(provider === undefined ? [] : checkProvider(recordOf(provider), [...path, 'provider'])),
  ]
}

function checkFloor({ min, from, to, timeZone }: Readonly<Record<string, unknown>>, max: unknown, path: KeyPath): Finding[] {
  if (typeof timeZone === 'string' && !isTimeZone(timeZone))
    return [
      {
        path: [...path, 'timeZone'],
        at: 'value',
        message: `nobody knows the time zone \`${timeZone.slice(0, 60)}\``,
        expected: 'a name such as Europe/Berlin or UTC',
      },
    ]
  if (typeof min === 'number' && typeof max === 'number' && min > max)
    return [{ path: [...path, 'min'], at: 'value', message: `a floor of ${min} is over the most of ${max}`, expected: `at most ${max}` }]
  if (from !== undefined && from === to)
    return [
      {
        path: [...path, 'to'],
        at: 'value',
        message: 'it ends when it begins',
        hint: "for the whole day: from '00:00' to '23:59', or a higher `min`",
      },
    ]
  return []
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** Nodes whose cache shall hold nothing would never be enough. */
function checkKvUsed(kvUsed: unknown, path: KeyPath): Finding[] {
  if (typeof kvUsed !== 'string' || parsePercent(kvUsed) !== 0) return []
  return [{ path, at: 'value', message: 'no number of nodes keeps their caches empty', expected: 'more than 0%' }]
}

const LEAST_EVERY_MS = 1_000
const MOST_EVERY_MS = 86_400_000

function checkEvery(every: unknown, path: KeyPath): Finding[] {
  const everyMs = typeof every === 'string' ? parseDuration(every) : undefined
  if (everyMs === undefined || (everyMs >= LEAST_EVERY_MS && everyMs <= MOST_EVERY_MS)) return []
  return [{ path, at: 'value', message: `a trigger cannot be asked every \`${String(every)}\``, expected: '1s to 24h' }]
}

function checkTrigger(trigger: Readonly<Record<string, unknown>>, path: KeyPath): Finding[] {
  const kinds = ['prometheus', 'url', 'gpu'].filter((kind) => trigger[kind] !== undefined)
  if (kinds.length !== 1)
    return [
      {
        path,
        at: 'value',
        message: `a trigger has one of prometheus, url and gpu; this one has ${kinds.length === 0 ? 'none' : kinds.join(' and ')}`,
      },
    ]
  if (kinds[0] === 'prometheus' && trigger['query'] === undefined)
    return [
      {
        path: [...path, 'prometheus'],
        at: 'key',
        message: 'a Prometheus is asked a `query`, and there is none',
        hint: 'query: sum(rate(jobs_total[1m]))',
      },
    ]
  if (kinds[0] !== 'prometheus' && trigger['query'] !== undefined)
    return [{ path: [...path, 'query'], at: 'key', message: '`query` goes with `prometheus` only' }]
  if (kinds[0] !== 'url' && trigger['path'] !== undefined)
    return [{ path: [...path, 'path'], at: 'key', message: '`path` goes with `url` only' }]
  return []
}

function checkProvider({ up, down, webhook }: Readonly<Record<string, unknown>>, path: KeyPath): Finding[] {
  const hasCommands = up !== undefined || down !== undefined
  if (hasCommands !== (webhook !== undefined)) return []
  const message = hasCommands ? 'machines are brought by commands or by a webhook, not both' : 'nothing says how machines are brought'
  return [{ path, at: 'value', message, expected: '{ up: [...], down: [...] } or { webhook: URL }' }]
}
