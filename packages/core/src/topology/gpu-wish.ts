/** A number as `lb gpus` shows it, or a uuid (its beginning is enough), or a place on the PCI bus. */
export type GpuRef = number | string

/** Which accelerators the replicas of a group may use; absent, an engine sees all. */
export type GpuWish =
  | { readonly kind: 'none' }
  /** One list for each replica; never empty. */
  | { readonly kind: 'listed'; readonly lists: readonly (readonly GpuRef[])[]; readonly share: boolean }
  | {
      readonly kind: 'counted'
      /** 1 to 64. */
      readonly perReplica: number
      readonly from?: readonly GpuRef[]
      /** Memory that one replica takes of all its accelerators together; absent: what its engine's plugin expects. */
      readonly needMiB?: number
      readonly share: boolean
    }

/** `launch.gpus` as written, checked by the schema. */
export type GpusInput =
  | 'none'
  | readonly (readonly GpuRef[])[]
  | { readonly perReplica?: number; readonly from?: readonly GpuRef[]; readonly needMiB?: number; readonly share?: boolean }

export function gpuWish(input: GpusInput): GpuWish {
  if (input === 'none') return { kind: 'none' }
  if ('length' in input) return { kind: 'listed', lists: input, share: namesOneTwice(input) }
  const { perReplica = 1, from, needMiB, share = false } = input
  return { kind: 'counted', perReplica, ...(from === undefined ? {} : { from }), ...(needMiB === undefined ? {} : { needMiB }), share }
}

/** The wish in the words of the file. */
export function gpusForm(wish: GpuWish): unknown {
  if (wish.kind === 'none') return 'none'
  if (wish.kind === 'listed') return wish.lists.map((list) => [...list])
  const { kind: _, from, ...rest } = wish
  return { ...rest, ...(from === undefined ? {} : { from: [...from] }) }
}

/** Two replicas that name the same accelerator are meant to share it. */
function namesOneTwice(lists: readonly (readonly GpuRef[])[]): boolean {
  const all = lists.flatMap((list) => [...new Set(list)])
  return new Set(all).size < all.length
}

/** Whether accelerators are given out to its nodes. */
export function choosesGpus({ launch }: { readonly launch?: { readonly gpus?: GpuWish } }): boolean {
  return launch?.gpus !== undefined && launch.gpus.kind !== 'none'
}
