import type { RolloutStatus } from '@plimsoll/core'
import { isStanding, phaseText, shareText, stepText, verdictText } from './board/index.js'
import { sanitize } from './sanitize.js'
import { clockTime } from './units.js'

/** One thing that happened to a rollout, as one line. */
export function rolloutEventText({ atMs, message }: RolloutStatus['events'][number]): string {
  return sanitize(`${clockTime(atMs)}  ${message}`)
}

/** How far it is, while nothing happens: what it fetches, or its step and what the judge says. */
export function rolloutProgressText(rollout: RolloutStatus, nowMs: number): string {
  const { phase, reason, judge } = rollout
  const share = shareText(rollout)
  const where =
    phase === 'preparing'
      ? [reason ?? '']
      : [stepText(rollout, nowMs), share === '' ? '' : `${share} of the traffic`, judge === null ? '' : verdictText(judge)]
  return sanitize([clockTime(nowMs), phaseText(rollout), where.filter((text) => text !== '').join(', ')].join('  '))
}

/** What a rollout came to, and what to do next. */
export function rolloutEndText(rollout: RolloutStatus): string {
  const { phase, pool, from, to, reason } = rollout
  const why = reason === null ? '' : `: ${reason}`
  if (phase === 'promoted') return sanitize(`${to.revision} of ${pool} is live. lb rollout undo ${pool} goes back to ${from.revision}.`)
  if (phase === 'rolled-back')
    return sanitize(`${to.revision} of ${pool} was rolled back${why}. lb rollout status ${pool} shows the evidence.`)
  if (phase === 'aborted')
    return sanitize(`${to.revision} of ${pool} was taken back; ${from.revision} serves. lb rollout history ${pool} lists both.`)
  if (phase === 'failed') return sanitize(`The rollout of ${pool} failed${why}. lb status shows its nodes.`)
  if (isStanding(rollout))
    return sanitize(
      `It stands. lb rollout compare ${pool} shows both sides; lb rollout promote ${pool} takes the new one, lb rollout abort ${pool} keeps the old one.`,
    )
  if (phase === 'paused') return sanitize(`lb rollout resume ${pool} goes on; lb rollout abort ${pool} takes it back.`)
  if (phase === 'asking') return sanitize(`It waits for you: lb rollout promote ${pool} goes on, lb rollout abort ${pool} takes it back.`)
  if (phase === 'rolling-back') return sanitize(`${from.revision} of ${pool} takes everything again. lb rollout watch ${pool} looks on.`)
  return sanitize(`The rollout of ${pool} goes on. lb rollout watch ${pool} looks on; lb rollout abort ${pool} takes it back.`)
}
