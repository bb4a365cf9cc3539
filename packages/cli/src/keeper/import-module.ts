import { pathToFileURL } from 'node:url'
import { messageOf } from '@plimsoll/core'

/** A module that waits for something while it is imported gets this long. */
const PATIENCE_MS = 10_000

/** A plugin's module. An endless loop in one cannot be ended from here; an endless wait can. `fail` makes the error from its reason. */
export async function importModule(path: string, fail: (why: string) => Error): Promise<Record<string, unknown>> {
  let late: NodeJS.Timeout | undefined
  const patience = new Promise<'late'>((resolve) => {
    late = setTimeout(() => resolve('late'), PATIENCE_MS)
  })
  const importing = import(pathToFileURL(path).href) as Promise<Record<string, unknown>>
  try {
    const module = await Promise.race([importing.catch((cause: unknown) => fail(messageOf(cause))), patience])
    if (module === 'late') throw fail(`importing it did not end within ${PATIENCE_MS / 1000} s`)
    if (module instanceof Error) throw module
    return module
  } finally {
    clearTimeout(late)
  }
}
