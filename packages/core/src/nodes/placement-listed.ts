import { isNamed, type MachineGpu } from '../machines/index.js'
import type { GpuRef, GpuWish } from '../topology/index.js'
import { makersOf, type GpuLedger } from './gpu-ledger.js'
import { gpuName } from './gpu-names.js'
import type { GpuSeeker, Refusal } from './gpu-seeker.js'

/** What a choice is made from. */
export interface Choosing {
  readonly gpus: readonly MachineGpu[]
  readonly ledger: GpuLedger
}

/** The accelerators that the topology names for this replica, or why they cannot be had. */
export function chooseListed(
  { replica }: GpuSeeker,
  { lists, share }: Extract<GpuWish, { kind: 'listed' }>,
  { gpus, ledger }: Choosing,
): readonly MachineGpu[] | Refusal {
  const chosen: MachineGpu[] = []
  for (const ref of lists[replica] ?? []) {
    const found = gpusNamed(gpus, ref)
    const [gpu, another] = found
    if (gpu === undefined) return notHere(ref, gpus)
    if (another !== undefined) return ambiguous(ref, found)
    if (gpu.broken !== undefined)
      return { message: `${gpuName(gpu)} cannot be used: ${gpu.broken}`, hint: 'lb gpus tells what to do about it' }
    const holder = ledger.inTheWay(gpu, share)?.holder
    if (holder !== undefined)
      return { message: `${gpuName(gpu)} is reserved for ${holder}`, hint: 'stop that one, or name another; lb gpus shows all' }
    chosen.push(gpu)
  }
  return together(chosen)
}

/** Accelerators that a number, uuid or bus id of the topology means; a card's number means all its slices. */
export function gpusNamed(gpus: readonly MachineGpu[], ref: GpuRef): readonly MachineGpu[] {
  return gpus.filter((gpu) => (typeof ref === 'number' ? gpu.index === ref : isNamed(gpu, ref)))
}

/** Whether one process can use them at once. */
function together(chosen: readonly MachineGpu[]): readonly MachineGpu[] | Refusal {
  const makers = makersOf(chosen)
  if (makers.length > 1) return { message: `one engine cannot use GPUs of ${makers.join(' and ')} at once`, hint: 'name GPUs of one maker' }
  if (chosen.length > 1 && chosen.some((gpu) => gpu.migProfile !== undefined))
    return { message: 'a process sees at most one MIG slice', hint: 'give each replica one slice; tensor parallel needs whole cards' }
  return chosen
}

function notHere(ref: GpuRef, gpus: readonly MachineGpu[]): Refusal {
  const known = gpus.map((gpu) => (typeof ref === 'number' ? String(gpu.index) : (gpu.uuid ?? String(gpu.index))))
  return {
    message: `there is no GPU ${ref} that lb may use (here: ${[...new Set(known)].join(', ')})`,
    hint: 'lb gpus shows them all, and CUDA_VISIBLE_DEVICES of the shell hides some',
  }
}

function ambiguous(ref: GpuRef, found: readonly MachineGpu[]): Refusal {
  const ids = found.map((gpu) => gpu.uuid ?? gpu.pciBusId ?? `${gpu.vendor} ${gpu.index}`).join(', ')
  const slices = found.every((gpu) => gpu.migProfile !== undefined)
  return {
    message: slices ? `GPU ${ref} is cut into ${found.length} slices` : `${ref} means ${found.length} GPUs: ${ids}`,
    hint: slices ? `name one: ${ids}` : 'name one by its whole uuid or its bus id; lb gpus shows them',
  }
}
