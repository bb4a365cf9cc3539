/** When to start a crashed balancer again: soon at first, slower later, and not for ever. */
export interface RestartPlan {
  readonly waitMs: number
  readonly giveUp: boolean
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000
const WINDOW_MS = 60_000
const MOST_CRASHES = 8

/** Counts crashes of the last minute; a balancer that stays up for a minute starts with a clean sheet. */
export function createRestartBudget(): { crashed(nowMs: number): RestartPlan } {
  let crashes: number[] = []
  return {
    crashed(nowMs) {
      crashes = [...crashes.filter((atMs) => nowMs - atMs < WINDOW_MS), nowMs]
      return {
        waitMs: Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (crashes.length - 1)),
        giveUp: crashes.length > MOST_CRASHES,
      }
    },
  }
}
