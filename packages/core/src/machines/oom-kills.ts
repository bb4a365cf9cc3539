import { readFileSync } from 'node:fs'

/** Counters of the kernel that rise when it kills a process for lack of memory: of the machine, and of the control group that we and our engines are in. */
function counterPaths(): string[] {
  const group = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup'))?.[1]
  const events = group === undefined ? [] : [`/sys/fs/cgroup${group === '/' ? '' : group}/memory.events`]
  return ['/proc/vmstat', ...events]
}

/** How often the kernel has killed for lack of memory, as far as it tells; only differences mean anything. Undefined where it tells nothing. */
export function oomKills(paths: readonly string[] = counterPaths()): number | undefined {
  const counts = paths.flatMap((path) => /^oom_kill (\d+)$/m.exec(read(path))?.[1] ?? [])
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + Number(count), 0)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
