import type { AskedSources, PreflightFinding, TightNode, Topology, TopologyDiff } from '@plimsoll/core'
import { tightLines } from './plan-fit-lines.js'
import { planGpuLines, type PlannedGpus } from './plan-gpu-lines.js'
import { homePath } from './up-report.js'
import { sanitize } from './sanitize.js'
import { duration } from './units.js'

/** One node as `lb up` would bring it up. */
export interface PlannedNode {
  readonly id: string
  readonly engine: string
  readonly weight: number
  readonly models: readonly string[]
  readonly how: 'launch' | 'attach'
  readonly url: string
  /** The machine that it is launched on; absent: this one. */
  readonly host?: string
  /** Command line with arguments; launched nodes only. */
  readonly command?: readonly string[]
  /** Names of what is added to the base environment; values may be secrets. */
  readonly env?: readonly string[]
  readonly readyWithinMs?: number
  /** Where the topology chooses; launched nodes only. */
  readonly gpus?: PlannedGpus
}

/** What the check before a launch would say of one node group. */
export interface PlannedFinding extends PreflightFinding {
  /** Id of its first node. */
  readonly node: string
}

export interface Plan {
  readonly name: string
  readonly file?: string
  readonly listen: Topology['gateway']['listen']
  readonly nodes: readonly PlannedNode[]
  /** Where nodes are told while the balancer runs, with what was told just now. */
  readonly sources: AskedSources['sources']
  /** What is worth a second thought. */
  readonly warnings: readonly string[]
  /** Nodes that nobody placed, whose model is larger than the memory that there is, with what would fit. */
  readonly tight: readonly TightNode[]
  /** Names that launched engines get from this shell, values as they are; empty where nothing is launched. */
  readonly inherited: readonly string[]
  /** What the check before each launch says. */
  readonly findings: readonly PlannedFinding[]
  /** How this differs from what runs now; undefined when nothing runs. */
  readonly running?: TopologyDiff
}

/** What `lb up` would do. Ends with a line break. */
export function planText(plan: Plan): string {
  const launched = plan.nodes.filter((node) => node.how === 'launch').length
  const lines = [
    `${plan.name}   ${plan.file === undefined ? 'built-in topology' : homePath(plan.file)}`,
    `gateway   ${plan.listen.map((address) => (address.kind === 'tcp' ? `${address.host}:${address.port}` : `unix:${address.path}`)).join(', ')}`,
    `nodes     ${launched} to launch, ${plan.nodes.length - launched} to attach`,
    '',
    ...plan.nodes.flatMap(nodeLines),
    ...plan.sources.flatMap(sourceLines),
    ...(plan.warnings.length === 0 ? [] : ['', ...plan.warnings.map((warning) => `! ${warning}`)]),
    ...(plan.tight.length === 0 ? [] : ['', ...plan.tight.flatMap(tightLines)]),
    ...(plan.findings.length === 0 ? [] : ['', ...plan.findings.map(findingLine)]),
    ...(plan.inherited.length === 0 ? [] : ['', `launched engines inherit ${plan.inherited.join(', ')}`]),
    ...(plan.running === undefined ? [] : ['', ...runningLines(plan.running)]),
  ]
  return `${lines.map((line) => sanitize(line).trimEnd()).join('\n')}\n`
}

function findingLine({ node, severity, message, hint }: PlannedFinding): string {
  return `${severity === 'error' ? 'x' : '!'} ${node}${severity === 'error' ? ' would not start' : ''}: ${message}; ${hint}`
}

function nodeLines(node: PlannedNode): string[] {
  const head = `${node.how === 'launch' ? '+' : '='} ${node.id}   ${node.engine}   ${node.how === 'launch' ? 'launch at' : 'attach'} ${node.url}${node.host === undefined ? '' : `   on ${node.host}, over ssh`}`
  const within = node.readyWithinMs === undefined ? '' : `   ready within ${duration(node.readyWithinMs)}`
  const command = node.command === undefined ? [] : [`    ${node.command.map(quoted).join(' ')}`]
  const env = node.env === undefined || node.env.length === 0 ? [] : [`    with ${node.env.join(', ')} in its environment`]
  return [`${head}${within}`, ...command, ...planGpuLines(node.gpus), ...env]
}

/** A source that cannot be asked here may well answer where the balancer runs. */
function sourceLines({ pool, group, from, members, error, notes, atMs }: AskedSources['sources'][number]): string[] {
  const head = `~ ${pool}/${group}   members of ${from}`
  if (error !== undefined) return [`${head}   cannot be asked from here: ${error}`]
  return [
    `${head}   ${atMs === undefined ? 'no answer yet' : `${members} now`}; they join and leave while lb runs`,
    ...notes.map((note) => `    ${note}`),
  ]
}

function runningLines(running: NonNullable<Plan['running']>): string[] {
  if (!running.changed) return ['running now: exactly this']
  const gateway = running.gatewayChanged ? ['  ~ gateway'] : []
  return ['running now differs; lb down, then lb up brings the above', ...gateway, ...running.pools.flatMap(poolLines)]
}

function poolLines(diff: NonNullable<Plan['running']>['pools'][number]): string[] {
  const named = (sign: string, groups: readonly { readonly name: string }[], what: string): string[] =>
    groups.map((group) => `  ${sign} ${diff.pool}/${group.name}   ${what}`)
  return [
    ...(diff.settingsChanged ? [`  ~ ${diff.pool}   settings of the pool`] : []),
    ...named('=', diff.kept, 'as it runs'),
    ...diff.changed.flatMap((change) => named('~', [change.to], change.replace ? 'other engines' : 'weight, replicas or restarts')),
    ...named('+', diff.added, 'new'),
    ...named('-', diff.removed, 'gone'),
  ]
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
