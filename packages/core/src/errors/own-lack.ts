/** This process has no file descriptor left for a connection: whoever was to be asked may be well. */
export function isOwnLack(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === 'EMFILE' || code === 'ENFILE'
}
