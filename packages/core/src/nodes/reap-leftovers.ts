import { isSameProcess, processIdentity, stopTree } from '../machines/index.js'
import type { StateFile } from '../state/index.js'

export interface ReapedLeftovers {
  /** Node ids whose engines were still running and are ended now. */
  readonly stopped: readonly string[]
  /** Node ids whose pid belongs to another process by now: no signal was sent. */
  readonly strangers: readonly string[]
}

const STEPS = [{ signal: 'SIGTERM', waitMs: 5_000 }] as const

/** Ends the engines that a killed balancer left running, found by pid, start time, boot and mark in its state file. Never signals a stranger. */
export async function reapLeftovers(state: StateFile): Promise<ReapedLeftovers> {
  const stopped: string[] = []
  const strangers: string[] = []
  await Promise.all(
    state.nodes.map(async (node) => {
      if (node.process === undefined) return
      const lived = await isSameProcess(node.process)
      const result = await stopTree({ identity: node.process, mark: node.mark, steps: STEPS })
      if (lived || result !== 'stranger') stopped.push(node.id)
      else if ((await processIdentity(node.process.pid)) !== undefined) strangers.push(node.id)
    }),
  )
  return { stopped: stopped.sort(), strangers: strangers.sort() }
}

/** Node ids of a state file whose engines still run. */
export async function runningLeftovers(state: StateFile): Promise<string[]> {
  const checked = await Promise.all(
    state.nodes.map(async (node) => (node.process !== undefined && (await isSameProcess(node.process)) ? node.id : undefined)),
  )
  return checked.filter((id) => id !== undefined)
}
