import type { Clock } from '../base/index.js'
import type { GpuWatch } from '../machines/index.js'
import { gib, gpuName } from './gpu-names.js'

export interface SettlingWait {
  readonly watch: GpuWatch
  readonly clock: Clock
  /** What was free before the ended engine took its part, by key; null where nobody knows. */
  readonly gpus: ReadonlyMap<string, number | null>
  /** What the next engine takes of each; that much is enough. */
  readonly needMiB: number | null
  readonly withinMs: number
  /** Told what is waited for. */
  readonly say: (what: string) => void
  /** False ends the wait. */
  readonly wanted: () => boolean
}

const POLL_MS = 500
/** Drivers keep a little: this share of what was free counts as all of it. */
const ENOUGH = 0.95
/** Growth that counts as memory still coming back. */
const STILL_GROWING_MIB = 64

/** Waits until the memory of ended engines is free again. False: it was not within its time, or nobody wants it any more. */
export async function memorySettled(wait: SettlingWait): Promise<boolean> {
  const deadlineMs = wait.clock.nowMs() + wait.withinMs
  const before = new Map<string, number>()
  for (;;) {
    const { gpus } = await wait.watch.read(0)
    const held = gpus.flatMap((gpu) => {
      const target = targetOf(wait, gpu.key)
      const free = gpu.memFreeMiB
      if (!wait.gpus.has(gpu.key) || free === null) return []
      const last = before.get(gpu.key)
      before.set(gpu.key, free)
      // Without a figure to reach, it is settled once it has stopped to grow.
      const settled = target === null ? last !== undefined && free - last < STILL_GROWING_MIB : free >= target
      return settled ? [] : [`${gpuName(gpu)}: ${gib(free)}${target === null ? '' : ` of ${gib(target)}`} free`]
    })
    if (held.length === 0) return true
    if (!wait.wanted() || wait.clock.nowMs() >= deadlineMs) return false
    wait.say(`waiting for GPU memory of the engine before: ${held.join(', ')}`)
    await new Promise<void>((resolve) => void wait.clock.after(POLL_MS, resolve))
  }
}

function targetOf({ gpus, needMiB }: SettlingWait, key: string): number | null {
  const before = gpus.get(key) ?? null
  const wanted = [before === null ? null : before * ENOUGH, needMiB].filter((value) => value !== null)
  return wanted.length === 0 ? null : Math.min(...wanted)
}
