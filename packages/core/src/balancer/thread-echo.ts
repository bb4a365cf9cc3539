import type { Worker } from 'node:worker_threads'
import type { FromThread, ToThread } from './thread-messages.js'

let next = 0

/** Resolves once each of these has taken what it was told before, or has ended. */
export async function heardBy(workers: readonly Worker[]): Promise<void> {
  await Promise.all(workers.map((worker) => answered(worker)))
}

function answered(worker: Worker): Promise<void> {
  const id = next++
  return new Promise((resolve) => {
    const done = (): void => {
      worker.off('message', hear).off('exit', done)
      resolve()
    }
    const hear = (message: FromThread): void => {
      if (message.type === 'heard' && message.id === id) done()
    }
    worker.on('message', hear).on('exit', done)
    worker.postMessage({ type: 'hear', id } satisfies ToThread)
  })
}
