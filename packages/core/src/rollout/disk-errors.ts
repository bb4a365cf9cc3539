import { isLbError, LbError, messageOf } from '../errors/index.js'

/** It is full, read-only or gone: that says nothing about a rollout, and may be over in a moment. */
export function isDiskError(error: unknown): boolean {
  const { code, syscall } = (error ?? {}) as { readonly code?: unknown; readonly syscall?: unknown }
  return typeof code === 'string' && typeof syscall === 'string' && ['open', 'write', 'fsync', 'rename', 'mkdir', 'close'].includes(syscall)
}

/** What the disk says, with what is to be done next; any other error as it is. */
export function readable(error: unknown): unknown {
  if (isLbError(error) || !isDiskError(error)) return error
  return new LbError(`it cannot be written down: ${messageOf(error)}`, {
    code: 'LB_STATE_NOT_WRITTEN',
    source: 'operator',
    httpStatus: 507,
    hint: 'free some space where lb keeps its state, or make it writable: nothing was changed',
  })
}
