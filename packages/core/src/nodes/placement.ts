import type { MemoryNeed, MemoryRoom } from '../contracts/index.js'
import type { MachineGpu } from '../machines/index.js'
import type { GpuWish } from '../topology/index.js'
import { GpuLedger, type GpuUse } from './gpu-ledger.js'
import { gib } from './gpu-names.js'
import type { GpuSeeker, Refusal } from './gpu-seeker.js'
import { roomOn } from './memory-room.js'
import { chooseCounted } from './placement-counted.js'
import { chooseListed } from './placement-listed.js'

export interface PlacementQuestion {
  /** What may be used here. */
  readonly gpus: readonly MachineGpu[]
  /** All of one topology, in its order: the answer for one does not depend on who asks first. */
  readonly seekers: readonly GpuSeeker[]
  /** Reservations of other topologies. */
  readonly taken: readonly GpuUse[]
  /** Memory that will be free once an ended engine's is given back, by key. */
  readonly soonFreeMiB?: ReadonlyMap<string, number>
  /** Why a tool told less than it could. */
  readonly problems?: readonly string[]
}

export interface Placement {
  readonly id: string
  /** In the order in which the engine sees them; empty where it gets none. */
  readonly gpus: readonly MachineGpu[]
  readonly need?: MemoryNeed
  /** What a person should know although it works. */
  readonly notes: readonly string[]
  /** Why it gets none although it wants some, and what would fit. */
  readonly refusal?: Refusal
  /** The memory that there is, where it does not suffice: also for accelerators that it gets because the topology names them. */
  readonly room?: MemoryRoom
}

/** Who gets which accelerators. Pure: the same question has the same answer. */
export function placeNodes(question: PlacementQuestion): ReadonlyMap<string, Placement> {
  const ledger = new GpuLedger(question.taken, question.soonFreeMiB)
  const held = question.seekers.filter((seeker) => seeker.held !== undefined)
  const placed = new Map<string, Placement>()
  for (const seeker of [...held, ...question.seekers.filter((each) => each.held === undefined)]) {
    const placement = { ...placeOne(seeker, question, ledger), id: seeker.id, ...(seeker.need === undefined ? {} : { need: seeker.need }) }
    placed.set(seeker.id, placement)
    for (const gpu of placement.gpus) ledger.add(useOf(seeker, gpu, placement.gpus.length))
  }
  return placed
}

/** What one accelerator of a node is spoken for. */
function useOf({ id, wish, need }: GpuSeeker, gpu: MachineGpu, count: number): GpuUse {
  return { key: gpu.key, holder: id, share: isShared(wish), needMiB: need === undefined ? null : Math.round(need.mib / count) }
}

export function isShared(wish: GpuWish): boolean {
  return wish.kind !== 'none' && wish.share
}

type Choice = Omit<Placement, 'id' | 'need'>

function placeOne(seeker: GpuSeeker, question: PlacementQuestion, ledger: GpuLedger): Choice {
  const { wish, held } = seeker
  if (wish.kind === 'none') return { gpus: [], notes: [] }
  if (held !== undefined) return { gpus: held.flatMap((key) => question.gpus.find((gpu) => gpu.key === key) ?? []), notes: [] }
  if (question.gpus.length === 0) return refused(noneHere(question))
  const choice =
    wish.kind === 'listed' ? chooseListed(seeker, wish, { ...question, ledger }) : chooseCounted(seeker, wish, { ...question, ledger })
  if ('message' in choice) return refused(choice)
  return { gpus: choice, notes: notesOn(seeker, choice, ledger), ...tooSmall(seeker, choice, ledger) }
}

function refused({ room, ...refusal }: Refusal): Choice {
  return { gpus: [], notes: [], refusal, ...(room === undefined ? {} : { room }) }
}

function tooSmall({ need }: GpuSeeker, gpus: readonly MachineGpu[], ledger: GpuLedger): Pick<Choice, 'room'> {
  if (need === undefined || gpus.every((gpu) => ledger.fits(gpu, need.mib / gpus.length))) return {}
  const room = roomOn(gpus, (gpu) => ledger.freeMiB(gpu), gpus.length)
  return room === undefined ? {} : { room }
}

function noneHere({ problems = [] }: PlacementQuestion): Refusal {
  const why = problems.length === 0 ? '' : ` (${problems.join('; ')})`
  return { message: `there is no GPU here that lb may use${why}`, hint: 'lb gpus shows what was looked for; `gpus: none` runs it without' }
}

function notesOn({ need }: GpuSeeker, gpus: readonly MachineGpu[], ledger: GpuLedger): string[] {
  const notes: string[] = []
  const [first] = gpus
  const each = need === undefined ? null : need.mib / gpus.length
  for (const gpu of gpus) if (!ledger.fits(gpu, each)) notes.push(`${ledger.freeText(gpu)}, and it is expected to need ${gib(each ?? 0)}`)
  if (need === undefined) notes.push('what it will need is not known; needMiB says it')
  if (gpus.some((gpu) => gpu.name !== first?.name)) notes.push('the GPUs are not of one kind: the slowest sets the pace')
  if (gpus.length > 1 && first?.vendor === 'nvidia') notes.push('how they are linked is not looked at; nvidia-smi topo -m shows it')
  if (first?.unified === true) notes.push('its memory is the main memory of the machine')
  return notes
}
