import { setTimeout as sleep } from 'node:timers/promises'

/** The answer, or a rejection when it takes longer than `limitMs`; the timer never outlives the answer. */
export async function within<T>(answer: Promise<T>, limitMs: number): Promise<T> {
  const timer = new AbortController()
  const late = sleep(limitMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`no answer within ${limitMs} ms`)
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([answer, late])
  } finally {
    timer.abort()
  }
}
