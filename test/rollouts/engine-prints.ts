/** What an engine process was started with, byte for byte, but for what differs from start to start: its port and its mark. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { NodeRow } from '../e2e/house.js'

export interface EnginePrint {
  readonly pid: number
  readonly argv: readonly string[]
  readonly env: readonly string[]
  readonly hash: string
}

/** By node id. Linux only. Nodes whose process has just ended are left out. */
export function printsOf(nodes: readonly NodeRow[]): ReadonlyMap<string, EnginePrint> {
  const prints = nodes.flatMap(({ id, pid }) => {
    const print = pid === null ? undefined : printOf(pid)
    return print === undefined ? [] : [[id, print] as const]
  })
  return new Map(prints)
}

/** Node ids that were started otherwise than before, or are not there at all. */
export function changedPrints(before: ReadonlyMap<string, EnginePrint>, after: ReadonlyMap<string, EnginePrint>): string[] {
  const ids = new Set([...before.keys(), ...after.keys()])
  return [...ids].filter((id) => before.get(id)?.hash !== after.get(id)?.hash).sort()
}

function printOf(pid: number): EnginePrint | undefined {
  try {
    const argv = withoutPort(listIn(`/proc/${pid}/cmdline`))
    const env = listIn(`/proc/${pid}/environ`)
      .filter((one) => !one.startsWith('LB_NODE='))
      .sort()
    return {
      pid,
      argv,
      env,
      hash: createHash('sha256')
        .update(JSON.stringify([argv, env]))
        .digest('hex'),
    }
  } catch {
    return undefined
  }
}

function withoutPort(argv: readonly string[]): string[] {
  return argv.map((word, index) => (argv[index - 1] === '--port' ? 'PORT' : word))
}

function listIn(path: string): string[] {
  return readFileSync(path, 'utf8').split('\0').slice(0, -1)
}
