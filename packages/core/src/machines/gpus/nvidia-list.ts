/** One card of `nvidia-smi -L` with its MIG slices. */
export interface ListedCard {
  readonly index: number
  readonly name: string
  readonly uuid: string
  readonly slices: readonly { readonly device: number; readonly uuid: string; readonly profile: string }[]
}

const CARD = /^GPU (\d{1,4}): (.{1,120}?) \(UUID: (GPU-[0-9a-f-]{8,})\)/i
const SLICE = /^\s+MIG (\S{1,40})\s+Device\s+(\d{1,4}): \(UUID: (MIG-[\w/-]{8,})\)/i

/** Reads `nvidia-smi -L`, the only listing that names MIG slices by uuid. */
export function parseNvidiaList(text: string): ListedCard[] {
  const cards: (ListedCard & { slices: ListedCard['slices'][number][] })[] = []
  for (const line of text.split(/\r?\n/)) {
    const card = CARD.exec(line)
    const slice = SLICE.exec(line)
    if (card !== null) cards.push({ index: Number(card[1]), name: card[2] ?? '', uuid: card[3] ?? '', slices: [] })
    else if (slice !== null) cards.at(-1)?.slices.push({ profile: slice[1] ?? '', device: Number(slice[2]), uuid: slice[3] ?? '' })
  }
  return cards
}
