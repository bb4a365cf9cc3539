import type { Gpu } from '@plimsoll/core'
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
  readonly refusal: { readonly message: string; readonly hint: string } | null
}

export function planGpuLines(planned: PlannedGpus | undefined): string[] {
  if (planned === undefined) return []
  const { gpus, env, needMiB, needWhy, notes, refusal } = planned
  if (refusal !== null) return [`    ! would not start: ${refusal.message}`, `      ${refusal.hint}`]
  const need = needMiB === null ? '' : `, needs about ${gibOf(needMiB)} (${needWhy ?? ''})`
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const where = gpus.length === 0 ? 'on the CPU' : `on ${gpus.map(placeText).join(' and ')}`
  return [`    ${where}${need}`, ...(set.length === 0 ? [] : [`    ${set.join(' ')}`]), ...notes.map((note) => `    ! ${note}`)]
}

function placeText({ label, name, memFreeMiB, memTotalMiB }: PlannedGpus['gpus'][number]): string {
  if (memFreeMiB === null) return `${label} (${name})`
  const free = memTotalMiB === null ? gibOf(memFreeMiB) : `${gibOf(memFreeMiB).replace(' GiB', '')} of ${gibOf(memTotalMiB)}`
  return `${label} (${name}, ${free} free)`
}
