import { Worker } from 'node:worker_threads'
import { regExpOf } from './golden-schema.js'

/** An answer may send a careless expression round for years, and with it the thread it runs on: it runs on one that can be ended. */
const program = `const { parentPort, workerData } = require('node:worker_threads')
parentPort.postMessage(workerData.patterns.map((pattern) => pattern.test(workerData.text)))`

const limitMs = 1_000

/** Which of the expressions match; undefined where that takes longer than a second. */
export function matchesOf(sources: readonly string[], text: string): Promise<readonly boolean[] | undefined> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { eval: true, workerData: { patterns: sources.map(regExpOf), text } })
    const timer = setTimeout(() => end(() => resolve(undefined)), limitMs)
    const end = (tell: () => void) => {
      clearTimeout(timer)
      void worker.terminate()
      tell()
    }
    worker.once('message', (matches: readonly boolean[]) => end(() => resolve(matches)))
    worker.once('error', (error) => end(() => reject(error)))
  })
}
