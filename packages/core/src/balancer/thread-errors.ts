import { LbError } from '../errors/index.js'

export function failedThread(thread: number, why: string): LbError {
  return new LbError(`data thread ${thread} does not start: ${why}`, {
    code: 'LB_THREAD_FAILED',
    source: 'lb',
    hint: 'a plugin that hangs or ends its process at import does this; the log says more',
  })
}

/** An error that comes out of a thread keeps its fields and loses its class. */
export function revived(error: unknown): unknown {
  const { code, source, hint } = error as Partial<LbError>
  if (!(error instanceof Error) || source === undefined || code?.startsWith('LB_') !== true) return error
  return new LbError(error.message, { code, source, ...(hint === undefined ? {} : { hint }), cause: error })
}
