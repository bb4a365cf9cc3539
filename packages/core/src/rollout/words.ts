import { formatDuration } from '../topology/index.js'
import type { RolloutRecord } from './rollout-record.js'

/** What begins with a stage, for people. */
export function stageInWords({ kind, to, ground, stages }: RolloutRecord, at: number): string {
  const [before, stage] = [stages[at - 1], stages[at]]
  if (stage === undefined) return kind
  const isSame = stage.come === before?.come && stage.gone === before.gone && stage.share === before.share
  if (isSame) return `${kind}: the old nodes are kept for ${formatDuration(stage.holdMs ?? 0)}`
  const more = ground.isStanding ? 0 : stage.come - (before?.come ?? 0)
  const fewer = ground.isStanding ? 0 : stage.gone - (before?.gone ?? 0)
  const parts = [
    ...(more > 0 ? [`${more} new ${more === 1 ? 'node' : 'nodes'}`] : []),
    ...(fewer > 0 ? [`${fewer} old ${fewer === 1 ? 'node goes' : 'nodes go'}`] : []),
    stage.shadowShare === undefined
      ? `${percent(stage.share)} of the traffic to ${to.revision}`
      : `copies of ${percent(stage.shadowShare)} of the requests to ${to.revision}`,
  ]
  return `${kind}: ${parts.join(', ')}`
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}
