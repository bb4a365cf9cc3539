/** What the operating system says of a process and all its descendants: CPU time in nanoseconds, memory in bytes. */
import { readdirSync, readFileSync } from 'node:fs'

/**
 * The process itself and everything below it.
 *
 * @param {number} pid
 * @returns {readonly number[]}
 */
export function processTree(pid) {
  const tree = [pid]
  for (const each of tree) {
    for (const thread of threadsOf(each)) {
      const children = read(`/proc/${each}/task/${thread}/children`)
      tree.push(...children.split(' ').filter(Boolean).map(Number))
    }
  }
  return tree
}

/**
 * User and system time of all threads of the tree. `schedstat` counts nanoseconds; `stat` counts ticks of 10 ms, too coarse for a round.
 *
 * @param {readonly number[]} tree
 */
export function cpuNanoseconds(tree) {
  let sum = 0
  for (const pid of tree) {
    for (const thread of threadsOf(pid)) sum += Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0)
  }
  return sum
}

/**
 * Memory that would be free if the tree were gone: pages shared among processes count by their share.
 *
 * @param {readonly number[]} tree
 */
export function memoryBytes(tree) {
  let sum = 0
  for (const pid of tree) {
    const pss =
      /^Pss: +(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1]
    sum += Number(pss ?? 0) * 1024
  }
  return sum
}

/** @param {number} pid */
function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
