import { freemem } from 'node:os'

const MIB = 1024 ** 2

/** Main memory that a new process could take: what the system can free for it, and no more than the limit of the container. */
export function freeMainMemoryMiB(): number {
  const limit = process.constrainedMemory()
  // Zero: nobody knows of a limit.
  return Math.floor(Math.min(freemem(), limit > 0 ? limit : Infinity) / MIB)
}
