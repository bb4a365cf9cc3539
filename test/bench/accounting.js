/** What the operating system says of a process and all its descendants: CPU time in nanoseconds, memory in bytes. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

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
 * User and system time of all threads of the tree, and the time in which they were ready to run but had to wait for their core. `schedstat`
 * counts nanoseconds; `stat` counts ticks of 10 ms, too coarse for a round.
 *
 * @param {readonly number[]} tree
 */
export function cpuNanoseconds(tree) {
  let used = 0
  let waited = 0
  for (const pid of tree) {
    for (const thread of threadsOf(pid)) {
      const [running = 0, waiting = 0] = read(`/proc/${pid}/task/${thread}/schedstat`).split(' ').map(Number)
      used += running
      waited += waiting
    }
  }
  return { used, waited }
}

/**
 * Until the tree does next to nothing: what a slow proxy has queued would run in its neighbour's round.
 *
 * @param {readonly number[]} tree
 */
export async function untilIdle(tree) {
  const deadline = Date.now() + 10_000
  let before = cpuNanoseconds(tree).used
  while (Date.now() < deadline) {
    await pause(40)
    const now = cpuNanoseconds(tree).used
    if (now - before < 2e6) return
    before = now
  }
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
