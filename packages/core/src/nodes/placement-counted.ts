import type { MachineGpu } from '../machines/index.js'
import type { GpuWish } from '../topology/index.js'
import type { GpuLedger } from './gpu-ledger.js'
import { gib, gpuName } from './gpu-names.js'
import { roomOn } from './memory-room.js'
import { gpusNamed, type Choosing } from './placement-listed.js'
import type { GpuSeeker, Refusal } from './gpu-seeker.js'

type CountedWish = Extract<GpuWish, { kind: 'counted' }>

/** So many accelerators of one maker, of one kind where possible, that nobody holds and whose memory suffices; or why there are none. */
export function chooseCounted({ need }: GpuSeeker, wish: CountedWish, { gpus, ledger }: Choosing): readonly MachineGpu[] | Refusal {
  const { perReplica, share } = wish
  const all = inScope(gpus, wish)
  const eachMiB = need === undefined ? null : need.mib / perReplica
  const open = all.filter((gpu) => gpu.broken === undefined && ledger.inTheWay(gpu, share) === undefined)
  const fitting = open
    .filter((gpu) => ledger.fits(gpu, eachMiB))
    .toSorted((a, b) => emptiness(b, ledger) - emptiness(a, ledger) || a.index - b.index)
  const chosen = setOf(fitting, perReplica)
  if (chosen !== undefined) return chosen
  const room = need === undefined ? undefined : roomOn(open, (gpu) => ledger.freeMiB(gpu), perReplica)
  const wanted = `${perReplica === 1 ? 'a GPU' : `${perReplica} GPUs of one maker`}${eachMiB === null ? '' : ` with ${gib(eachMiB)} free`}`
  return {
    message: `no place for it: it wants ${wanted}, but ${all.length === 0 ? 'none is in `from`' : all.map((gpu) => whyNot(gpu, { share, eachMiB, ledger })).join('; ')}`,
    ...whatFits(all, open, { needMiB: need?.mib ?? null, perReplica, ledger }),
    ...(room === undefined ? {} : { room }),
  }
}

/** What `from` names; without it all, but parts in main memory only where there are no cards. */
function inScope(gpus: readonly MachineGpu[], { from, perReplica }: CountedWish): readonly MachineGpu[] {
  const named = from === undefined ? gpus : gpus.filter((gpu) => from.some((ref) => gpusNamed([gpu], ref).length > 0))
  const cards = named.filter((gpu) => !gpu.unified)
  const kind = from === undefined && cards.length > 0 ? cards : named
  // A process sees at most one MIG slice.
  return perReplica === 1 ? kind : kind.filter((gpu) => gpu.migProfile === undefined)
}

/** Nine tenths and more are all the same: an idle card is taken by its number, not by a few MiB. */
function emptiness(gpu: MachineGpu, ledger: GpuLedger): number {
  const free = ledger.freeMiB(gpu)
  return free === null || gpu.memTotalMiB === null ? 9 : Math.min(9, Math.floor((free / gpu.memTotalMiB) * 10))
}

/** The first that are of one kind, else of one maker. */
function setOf(fitting: readonly MachineGpu[], count: number): readonly MachineGpu[] | undefined {
  const kinds = [...new Set(fitting.map((gpu) => `${gpu.vendor} ${gpu.name}`))].map((kind) =>
    fitting.filter((gpu) => `${gpu.vendor} ${gpu.name}` === kind),
  )
  const makers = [...new Set(fitting.map((gpu) => gpu.vendor))].map((vendor) => fitting.filter((gpu) => gpu.vendor === vendor))
  return [...kinds, ...makers].find((set) => set.length >= count)?.slice(0, count)
}

interface Measure {
  readonly share: boolean
  readonly eachMiB: number | null
  readonly ledger: GpuLedger
}

function whyNot(gpu: MachineGpu, { share, eachMiB, ledger }: Measure): string {
  const holder = ledger.inTheWay(gpu, share)?.holder
  if (gpu.broken !== undefined) return `${gpuName(gpu)} is broken (${gpu.broken})`
  // Who holds it matters only where it would do.
  if (eachMiB !== null && (gpu.memTotalMiB ?? Infinity) < eachMiB) return `${gpuName(gpu)} has ${gib(gpu.memTotalMiB ?? 0)} in all`
  if (holder !== undefined) return `${gpuName(gpu)} is reserved for ${holder}`
  return ledger.fits(gpu, eachMiB) ? `${gpuName(gpu)} alone is not enough` : ledger.freeText(gpu)
}

type Hint = Pick<Refusal, 'hint' | 'isGuess'>

interface Shortage {
  readonly needMiB: number | null
  readonly perReplica: number
  readonly ledger: GpuLedger
}

/** The smallest number of accelerators whose memory would do, now or once they are empty; else the most that can be had. */
function whatFits(all: readonly MachineGpu[], open: readonly MachineGpu[], { needMiB, perReplica, ledger }: Shortage): Hint {
  const wait = { hint: 'stop what holds them, or launch fewer replicas; lb gpus shows all' }
  if (needMiB === null) return wait
  const counts = [1, 2, 4, 8, 16].filter((count) => count > perReplica)
  const now = counts.find(
    (count) =>
      setOf(
        wholeOf(open, (gpu) => ledger.fits(gpu, needMiB / count)),
        count,
      ) !== undefined,
  )
  if (now !== undefined) return { hint: `perReplica: ${now} would fit (${gib(needMiB / now)} on each)`, isGuess: true }
  const fitsEmpty = (count: number) =>
    setOf(
      wholeOf(all, (gpu) => (gpu.memTotalMiB ?? 0) >= needMiB / count),
      count,
    ) !== undefined
  if (fitsEmpty(perReplica)) return wait
  const later = counts.find(fitsEmpty)
  if (later !== undefined)
    return { hint: `perReplica: ${later} would fit (${gib(needMiB / later)} on each) once nothing else is on them; lb gpus shows what is` }
  const most = Math.max(0, ...open.map((gpu) => ledger.freeMiB(gpu) ?? 0))
  return {
    hint: `at most ${gib(most)} are free on one: a smaller quantisation or context, or needMiB where the estimate is wrong`,
    isGuess: true,
  }
}

function wholeOf(gpus: readonly MachineGpu[], fits: (gpu: MachineGpu) => boolean): readonly MachineGpu[] {
  return gpus.filter((gpu) => gpu.migProfile === undefined && gpu.broken === undefined && fits(gpu))
}
