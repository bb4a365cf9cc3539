import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '@plimsoll/core'
import { htmlReport } from '@plimsoll/simulate'
import { wrongInput } from '../wrong-input.js'
import type { SimulationReport } from '../views/simulation-text.js'

/** One page with tables and plots; returns its path. Throws LB_WRONG_INPUT where it cannot be written. */
export function writeReport({ workload, fleet, seed, results }: SimulationReport, cwd: string, file: string): string {
  const path = resolve(cwd, file)
  const facts = [workload.summary, fleet, `seed ${seed}; simulated by lb, nothing here was measured on machines`]
  try {
    writeFileSync(path, htmlReport({ title: `${workload.name}: how strategies compare`, facts, results }))
  } catch (error) {
    throw wrongInput(`--html ${file} cannot be written: ${messageOf(error)}`, 'name a file in a folder that is there')
  }
  return path
}
