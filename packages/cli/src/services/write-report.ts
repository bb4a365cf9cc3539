import { accessSync, constants, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { messageOf } from '@plimsoll/core'
import { htmlReport, type ReportOptions } from '@plimsoll/simulate'
import { wrongInput } from '../wrong-input.js'

const HINT = 'name a file in a folder that is there'

/** Before the runs: minutes of them would be lost where the page cannot be written, and the log where the page would take its place. Throws LB_WRONG_INPUT. */
export function checkReportFile(cwd: string, file: string, input?: string): void {
  const path = resolve(cwd, file)
  const there = statSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory() === true) throw wrongInput(`--html ${file} is a folder`, HINT)
  const read = input === undefined ? undefined : statSync(resolve(cwd, input), { throwIfNoEntry: false })
  if (there !== undefined && there.ino === read?.ino && there.dev === read.dev)
    throw wrongInput(`--html ${file} is the file that is read: it would be lost`, 'name another file for the page')
  try {
    accessSync(there === undefined ? dirname(path) : path, constants.W_OK)
  } catch (error) {
    throw cannotWrite(file, error)
  }
}

/** One page with tables and plots; returns its path. Throws LB_WRONG_INPUT where it cannot be written. */
export function writeReport(page: ReportOptions, cwd: string, file: string): string {
  const path = resolve(cwd, file)
  try {
    writeFileSync(path, htmlReport(page))
  } catch (error) {
    throw cannotWrite(file, error)
  }
  return path
}

function cannotWrite(file: string, error: unknown): Error {
  return wrongInput(`--html ${file} cannot be written: ${messageOf(error)}`, HINT)
}
