import type { Worker } from 'node:worker_threads'
import type { Clock } from '../base/index.js'
import type { Logger } from '../contracts/index.js'
import { failedThread, revived } from './thread-errors.js'
import type { FromThread } from './thread-messages.js'

interface UntilListening {
  readonly thread: number
  readonly sockets: number
  readonly withinMs: number
  readonly clock: Clock
  readonly log: Logger
}

/** Rejects where the thread ends first. One that hangs, in the import of a plugin say, is ended: nobody would ever hear of it else. */
export function untilListening(worker: Worker, { thread, sockets, withinMs, clock, log }: UntilListening): Promise<void> {
  let left = sockets
  return new Promise((resolve, reject) => {
    const late = clock.after(withinMs, () => {
      log.error('thread.stuck', { thread, afterMs: withinMs })
      reject(failedThread(thread, `it does not listen within ${withinMs} ms`))
      void worker.terminate()
    })
    worker.on('message', (message: FromThread) => {
      if (message.type !== 'listening' || --left > 0) return
      late.cancel()
      resolve()
    })
    worker.on('error', (error) => reject(revived(error)))
    worker.on('exit', (code) => {
      late.cancel()
      reject(failedThread(thread, `it ended with code ${code}`))
    })
  })
}
