/** The same engine in a module that loads well in the main thread and never in a data thread; LB_TEST_AWKWARD says how. */
import { isMainThread } from 'node:worker_threads'

if (!isMainThread) {
  const how = process.env['LB_TEST_AWKWARD']
  if (how === 'throw') throw new Error('not in a thread')
  if (how === 'exit') process.exit(3)
  if (how === 'spin') for (;;);
  setInterval(() => undefined, 60_000)
  await new Promise(() => undefined)
}

export const plugin = undefined
