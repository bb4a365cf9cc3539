import { closeSync, writeSync } from 'node:fs'
import type { Logger, RequestRecord } from '../contracts/index.js'
import { recordJson } from '../dialects/index.js'
import { messageOf } from '../errors/index.js'
import { openAppendLog, rotateIfLarger } from '../machines/index.js'
import type { GatewayPlan } from '../topology/index.js'

export type RequestLogPlan = NonNullable<GatewayPlan['requestLog']>

export interface RequestLog {
  add(record: RequestRecord): void
  /** Writes what is waiting and closes the file. */
  close(): void
}

const FLUSH_MS = 200

/** Request records as JSON lines in a rotated file. A full disk loses lines and says so once; requests never wait for it. */
export function openRequestLog(plan: RequestLogPlan, log: Logger): RequestLog {
  const file = openAppendLog(plan.file)
  let waiting: string[] = []
  let complained = false
  const flush = (): void => {
    if (waiting.length === 0) return
    const text = waiting.join('')
    waiting = []
    try {
      writeSync(file, text)
      rotateIfLarger(plan.file, plan)
      complained = false
    } catch (error) {
      if (!complained) log.error('request_log.failed', { file: plan.file, error: messageOf(error) })
      complained = true
    }
  }
  const timer = setInterval(flush, FLUSH_MS)
  timer.unref()
  return {
    add: (record) => void waiting.push(`${JSON.stringify(recordJson(record))}\n`),
    close() {
      clearInterval(timer)
      flush()
      closeSync(file)
    },
  }
}
