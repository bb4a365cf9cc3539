import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Removes what launchers of killed keepers left; for the one keeper that holds the lock. Those of launchers that still live are being read, by losers. */
export function clearBootFiles(runtimeDir: string, keep: readonly string[]): void {
  for (const name of readdirSync(runtimeDir)) {
    const launcher = /^(?:boot|topology)-(\d+)\.json$/.exec(name)?.[1]
    const path = join(runtimeDir, name)
    if (launcher !== undefined && !keep.includes(path) && !lives(Number(launcher))) rmSync(path, { force: true })
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
