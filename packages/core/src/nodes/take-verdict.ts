import type { ProbeReport } from '../contracts/index.js'
import type { Node } from './node.js'

export type VerdictEvent = 'good' | 'steady' | 'loading' | 'bad'

/** What a verdict of the probe loop does to a node. */
export function takeVerdict(node: Node, event: VerdictEvent, report: ProbeReport): void {
  node.learn(report)
  const reason = report.verdict === 'ready' ? null : report.reason
  if (event === 'bad' && node.plan.group.launch === undefined && isUnseen(node))
    return node.move('fail', `${reason ?? 'does not answer'}; will keep trying`)
  // It listens when it is up; until then silence is no news.
  if (event === 'bad' && node.state === 'starting') return
  // A probe that knows how far it has come, as of a pull, knows more than the log.
  const knowsMore = report.verdict === 'loading' && report.progress !== undefined
  const step = !knowsMore && (node.state === 'loading' || node.state === 'starting') ? node.loadingStep : undefined
  if (step !== undefined && (event === 'bad' || event === 'loading')) return node.move(event, step)
  // Why it drains is worth more than how it is.
  node.move(event, node.state === 'draining' ? null : reason)
}

/** Whether verdicts count now. A launched engine that failed is its runner's to revive. */
export function isJudged(node: Node): boolean {
  const { state } = node
  if (node.isBeingWoken) return false
  return state !== 'stopped' && state !== 'asleep' && state !== 'declared' && (state !== 'failed' || node.plan.group.launch === undefined)
}

function isUnseen(node: Node): boolean {
  return node.state === 'starting' || node.state === 'failed'
}
