import { isSourceText } from './attach-source.js'
import type { Finding } from './finding.js'
import { listOf, recordOf, type KeyPath } from './key-path.js'
import { parseDuration } from './quantities.js'

/** `residency` against the rest of its pool: who puts engines to rest cannot follow the load at the same time, and must know the servers. */
export function checkResidency(pool: string, plan: Readonly<Record<string, unknown>>, path: KeyPath): Finding[] {
  const { residency } = plan
  if (residency === undefined) return []
  const at = 'value' as const
  const nodes = listOf(plan['nodes']).map(recordOf)
  const scaled = nodes.findIndex(({ launch }) => typeof recordOf(launch)['replicas'] === 'object')
  const sourced = nodes.findIndex(({ attach }) => isSource(attach))
  return [
    ...(scaled < 0
      ? []
      : [
          {
            path: [...path, 'nodes', scaled, 'launch', 'replicas'],
            at,
            message: `pool ${pool}: its number of nodes follows the load, and \`residency\` puts them to rest; one pool cannot have both`,
            hint: 'give a number of replicas, or leave `residency` out and say `min: 0`',
          },
        ]),
    ...(sourced < 0
      ? []
      : [
          {
            path: [...path, 'nodes', sourced, 'attach'],
            at,
            message: `pool ${pool}: \`residency\` is for servers that are named in the file; this group's come from a source`,
            hint: 'name them by their URLs, or leave `residency` out',
          },
        ]),
    ...checkWithin(pool, recordOf(residency), path),
  ]
}

function isSource(attach: unknown): boolean {
  return typeof attach === 'string' ? isSourceText(attach) : typeof attach === 'object' && attach !== null && !Array.isArray(attach)
}

/** Who waits shorter than others may stay would be refused although all is well. */
function checkWithin(
  pool: string,
  { minResident = '30s', wakeWithin = '5m' }: Readonly<Record<string, unknown>>,
  path: KeyPath,
): Finding[] {
  const [staysMs, waitsMs] = [parseDuration(String(minResident)), parseDuration(String(wakeWithin))]
  if (staysMs === undefined || waitsMs === undefined || waitsMs > staysMs) return []
  return [
    {
      path: [...path, 'residency', 'wakeWithin'],
      at: 'value',
      message: `pool ${pool}: requests wait ${String(wakeWithin)} for it, and pools that share with it may stay ${String(minResident)} and longer`,
      expected: 'wakeWithin longer than minResident',
    },
  ]
}
