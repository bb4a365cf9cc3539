import { accessSync, constants, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { messageOf } from '@plimsoll/core'
import { htmlReport } from '@plimsoll/simulate'
import { wrongInput } from '../wrong-input.js'
import type { SimulationReport } from '../views/simulation-text.js'

const HINT = 'name a file in a folder that is there'

/** Before the runs: minutes of them would be lost where the page cannot be written. Throws LB_WRONG_INPUT. */
export function checkReportFile(cwd: string, file: string): void {
  const path = resolve(cwd, file)
  const there = statSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory() === true) throw wrongInput(`--html ${file} is a folder`, HINT)
  try {
    accessSync(there === undefined ? dirname(path) : path, constants.W_OK)
  } catch (error) {
    throw cannotWrite(file, error)
  }
}

/** One page with tables and plots; returns its path. Throws LB_WRONG_INPUT where it cannot be written. */
export function writeReport({ workload, fleet, seed, results }: SimulationReport, cwd: string, file: string): string {
  const path = resolve(cwd, file)
  const facts = [workload.summary, fleet, `seed ${seed}; simulated by lb, nothing here was measured on machines`]
  try {
    writeFileSync(path, htmlReport({ title: `${workload.name}: how strategies compare`, facts, results }))
  } catch (error) {
    throw cannotWrite(file, error)
  }
  return path
}

function cannotWrite(file: string, error: unknown): Error {
  return wrongInput(`--html ${file} cannot be written: ${messageOf(error)}`, HINT)
}
