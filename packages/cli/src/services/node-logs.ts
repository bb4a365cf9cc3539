import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { wrongInput } from '../wrong-input.js'
import type { Target } from './find-target.js'

/** One log file: `lb` is the balancer's own, the others are the output of nodes. */
export interface LogSource {
  readonly label: string
  readonly path: string
}

/** Files of a topology's log folder, the balancer's first; rotated ones are left out. */
export function logSources(target: Target): readonly LogSource[] {
  const { logDir } = target.paths
  const files = existsSync(logDir) ? readdirSync(logDir).filter((file) => file.endsWith('.log')) : []
  const labels = new Map(
    target.state?.nodes.flatMap((node) => (node.logPath === undefined ? [] : [[node.logPath, node.id] as const])) ?? [],
  )
  return files
    .map((file) => join(logDir, file))
    .map((path) => ({ path, label: labels.get(path) ?? basename(path, '.log').replace('.', '/') }))
    .sort((a, b) => Number(b.label === 'lb') - Number(a.label === 'lb') || (a.label < b.label ? -1 : 1))
}

/** The sources that `wanted` names: `pool/node`, the node alone where it is clear, or `lb`. All when nothing is wanted. Throws LB_WRONG_INPUT. */
export function chooseSources(sources: readonly LogSource[], wanted: string | undefined): readonly LogSource[] {
  if (wanted === undefined) return sources
  const chosen = sources.filter((source) => source.label === wanted)
  const byNode = chosen.length > 0 ? chosen : sources.filter((source) => source.label.endsWith(`/${wanted}`))
  if (byNode.length === 1) return byNode
  const names = sources.map((source) => source.label).join(', ')
  throw wrongInput(
    byNode.length === 0 ? `there is no log of \`${wanted}\`` : `several nodes are called \`${wanted}\``,
    names === '' ? 'lb up writes logs; attached nodes have none here' : `one of: ${names}`,
  )
}
