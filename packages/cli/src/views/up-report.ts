import { basename } from 'node:path'
import { homedir } from 'node:os'
import type { BalancerStatus, NodeStatus, PoolStatus } from '@plimsoll/core'
import { fit, gpuLabel, safeStatus, undeclaredText } from './board/index.js'
import { duration, percent } from './units.js'

const SIGNS: Readonly<Partial<Record<NodeStatus['state'], string>>> = { ready: '✓', warming: '✓', failed: '!', suspect: '!', stopped: '!' }

/** What came up and what to do next, for the end of `lb up --detach` and the start of a plain log. Ends with a line break. */
export function upReport(status: BalancerStatus, options: { readonly curl: string; readonly detached: boolean }): string {
  const safe = safeStatus(status)
  const nodes = safe.pools.flatMap((pool) => pool.nodes)
  const [first = 'no listener', ...more] = safe.gateway.listen
  const width = Math.max(7, ...nodes.map((node) => node.id.length))
  const lines = [
    '',
    `  ${safe.name}   ${topologyOf(safe)}, ${plural(safe.pools.length, 'pool')}, ${plural(nodes.length, 'node')}`,
    '',
    `  ✓ ${fit('gateway', width)}   ${first}   OpenAI`,
    ...more.map((url) => `    ${fit('', width)}   ${url}`),
    ...nodes.flatMap((node) => [
      `  ${SIGNS[node.state] ?? '·'} ${fit(node.id, width)}   ${nodeText(node, safe)}`,
      ...[...node.lastLines.map((line) => `| ${line}`), ...node.warnings.map((warning) => `! ${warning}`)].map((line) => `      ${line}`),
    ]),
    ...safe.pools.flatMap((pool) => changedSince(pool, safe).map((text) => `  · ${fit(pool.name, width)}   ${text}`)),
    '',
    `  try   ${options.curl}`,
    options.detached
      ? `  then  lb top · lb logs -f · lb down${safe.logDir === null ? '' : `        logs: ${homePath(safe.logDir)}`}`
      : `  then  lb top · lb ask "hello" in another terminal; Ctrl-C drains and stops${safe.logDir === null ? '' : `        logs: ${homePath(safe.logDir)}`}`,
  ]
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

/** What an earlier balancer was at, and what of it is not in the file. */
function changedSince(pool: PoolStatus, { startedAtMs }: BalancerStatus): string[] {
  const { rollout, name } = pool
  const takenUp =
    rollout === undefined || rollout.startedAtMs >= startedAtMs ? undefined : rollout.events.find(({ atMs }) => atMs >= startedAtMs)
  const told = takenUp === undefined ? [] : [`${takenUp.message}   lb rollout ${rollout?.endedAtMs === null ? 'watch' : 'history'} ${name}`]
  return [...told, ...[undeclaredText(pool) ?? []].flat()]
}

function topologyOf({ file }: BalancerStatus): string {
  return file === null ? 'built-in topology' : `topology ${basename(file)}`
}

function nodeText(node: NodeStatus, { startedAtMs, gpus }: BalancerStatus): string {
  const engine = node.version === null ? node.engine : `${node.engine} ${node.version}`
  const reason = node.reason === null ? '' : `  ${node.reason}`
  if (node.state === 'ready' || node.state === 'warming')
    return `${fit(engine, 14)}${gpuText(node, gpus)} ready in ${duration(Math.max(0, node.sinceMs - startedAtMs))}${node.adopted ? ', taken over as it ran' : ''}`
  const progress = node.progress === null ? '' : ` ${percent(node.progress)}`
  return `${fit(engine, 14)} ${node.state}${progress}${reason}${node.state === 'failed' && !/is not started again|keep trying/.test(reason) ? '; lb keeps trying' : ''}`
}

/** ` GPU 0`, ` GPU 0, 1`; nothing where nobody chose, or its tool has not answered yet. */
function gpuText({ gpus: keys }: NodeStatus, gpus: BalancerStatus['gpus']): string {
  const own = gpus.filter((gpu) => keys?.includes(gpu.key) === true)
  return own.length === 0 ? '' : ` GPU ${own.map(gpuLabel).join(', ')} `
}

/** `~/...` for what lies in the home folder. */
export function homePath(path: string, home = homedir()): string {
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
