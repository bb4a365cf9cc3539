import type { Gpu, MemoryFits } from '@plimsoll/core'
import { fitLines } from './plan-fit-lines.js'
import { gibOf } from './units.js'

/** What of `lb plan` is about the accelerators of one node. */
export interface PlannedGpus {
  /** In the order in which the engine sees them; empty: it gets none. */
  readonly gpus: readonly (Gpu & { readonly label: string })[]
  /** Variables that show it these and hide the rest. */
  readonly env: Readonly<Record<string, string>>
  /** Of all of them together; null where nobody knows. */
  readonly needMiB: number | null
  readonly needWhy: string | null
  readonly notes: readonly string[]
  /** Why it gets none although it wants some. */
  readonly refusal: { readonly message: string; readonly hint: string; readonly isGuess?: true } | null
  /** Where memory does not suffice: what its engine says would fit. */
  readonly fits?: MemoryFits
}

export function planGpuLines(planned: PlannedGpus | undefined): string[] {
  if (planned === undefined) return []
  const { gpus, env, needMiB, needWhy, notes, refusal, fits } = planned
  const needs = needMiB === null ? undefined : `needs about ${gibOf(needMiB)} (${needWhy ?? ''})`
  if (refusal !== null)
    return [`    ! would not start: ${refusal.message}`, ...(needs === undefined ? [] : [`      it ${needs}`]), ...wayOut(refusal, fits)]
  const need = needs === undefined ? '' : `, ${needs}`
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const where = gpus.length === 0 ? 'on the CPU' : `on ${gpus.map(placeText).join(' and ')}`
  return [
    `    ${where}${need}`,
    ...(set.length === 0 ? [] : [`    ${set.join(' ')}`]),
    ...notes.map((note) => `    ! ${note}`),
    ...fitLines(fits),
  ]
}

/** What the engine itself names says more than what placement can guess. */
function wayOut({ hint, isGuess }: NonNullable<PlannedGpus['refusal']>, fits: MemoryFits | undefined): string[] {
  const knowsBetter = isGuess === true && fits !== undefined && fits.ways.length > 0
  return [...(knowsBetter ? [] : [`      ${hint}`]), ...fitLines(fits)]
}

function placeText({ label, name, memFreeMiB, memTotalMiB }: PlannedGpus['gpus'][number]): string {
  if (memFreeMiB === null) return `${label} (${name})`
  const free = memTotalMiB === null ? gibOf(memFreeMiB) : `${gibOf(memFreeMiB).replace(' GiB', '')} of ${gibOf(memTotalMiB)}`
  return `${label} (${name}, ${free} free)`
}
