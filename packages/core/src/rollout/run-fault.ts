import type { Lookout } from './lookout.js'
import type { RolloutRecord } from './rollout-record.js'
import type { JudgeReport } from './rollout-status.js'

/** Why the new revision cannot stay, by its nodes, by time, and by its judge; undefined: nothing speaks against it. */
export function runFault(record: RolloutRecord, lookout: Lookout, report: () => JudgeReport | undefined): string | undefined {
  const { phase, isPromoted, kind, stages, at } = record
  const stage = stages[at]
  if (phase === 'asking' || stage === undefined) return undefined
  const byNodes = lookout.fault(record)
  if (byNodes !== undefined) return byNodes
  if (phase === 'stepping' && lookout.isStill(record)) return `nothing moves any more: ${lookout.waitsFor(record)}`
  if (isPromoted || !stage.isJudged || kind === 'split') return undefined
  const judged = report()
  return judged?.verdict === 'bad' ? (judged.reason ?? 'the judge says no') : undefined
}
