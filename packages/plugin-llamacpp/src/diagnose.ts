import type { Diagnosis } from '@plimsoll/core/plugin'
import { driverRules, memoryRules } from './log-rules-machine.js'
import { fetchRules, lastRules, modelRules } from './log-rules-model.js'
import { stripVTControlCharacters } from './plain-text.js'

const LONGEST = 300

/** The first that finds a line wins. */
const logRules = [...memoryRules, ...modelRules, ...driverRules, ...fetchRules, ...lastRules]

/** Why it ended, in order of how much a line explains: an allocation that failed comes before the load that failed for it. */
export function diagnose(logTail: string): Diagnosis | undefined {
  const lines = stripVTControlCharacters(logTail).split(/[\r\n]+/)
  for (const { kind, pattern, message, hint } of logRules) {
    const found = lines.map((line) => pattern.exec(line)).findLast((match) => match !== null)
    if (found !== undefined && found !== null) return { kind, message: message(found).slice(0, LONGEST), hint }
  }
  return undefined
}
