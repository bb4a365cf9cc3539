/** Looks at real processes. Linux only, as the engines' tests are. */
import { readFileSync, readdirSync } from 'node:fs'

/** What the threads of this process have started and not yet lost. */
export function childrenOf(pid: number | null | undefined): number[] {
  try {
    const tasks = `/proc/${pid}/task`
    const lists = readdirSync(tasks).map((task) => readFileSync(`${tasks}/${task}/children`, 'utf8'))
    return lists.join(' ').split(/\s+/).filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Children, their children, and so on. */
export function descendantsOf(pid: number | null | undefined): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])
}

export function commandLine(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
}

/** A process that ended and waits to be collected does not count. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
