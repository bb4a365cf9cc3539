import type { EnginePlugin } from '@plimsoll/core/plugin'
import { contentRules } from './content-rules.js'
import type { ContractSubject } from './contract-subject.js'
import { detectRules } from './detect-rules.js'
import { dialectRules } from './dialect-rules.js'
import { launchRules } from './launch-rules.js'
import { logRules } from './log-rules.js'
import { manifestRules } from './manifest-rules.js'
import { probeRules } from './probe-rules.js'
import { questionRules } from './question-rules.js'
import { createWorkbench } from './workbench.js'

/** One promise that every engine plugin keeps. `run` throws or rejects where this one does not. */
export interface ContractRule {
  /** A sentence, for the title of a test. */
  readonly title: string
  readonly run: () => Promise<void>
}

/**
 * The contract of engine plugins as a list, for any test runner:
 * `for (const { title, run } of engineContract(plugin, subject)) test(title, run)`.
 * Rules that a plugin has no part for (no `load`, no `diagnose`) are left out.
 */
export function engineContract<Settings>(plugin: EnginePlugin<Settings>, subject: ContractSubject): readonly ContractRule[] {
  const bench = createWorkbench(plugin, subject)
  return [
    ...manifestRules(bench),
    ...launchRules(bench),
    ...probeRules(bench),
    ...questionRules(bench),
    ...contentRules(bench),
    ...dialectRules(bench),
    ...logRules(bench),
    ...detectRules(bench),
  ]
}
