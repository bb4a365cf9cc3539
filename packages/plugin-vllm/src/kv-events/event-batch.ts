import type { CacheEvent } from '@plimsoll/core/plugin'

/** Reads one batch of vLLM's events. Undefined where the payload is none: what it said is lost. */
export type BatchDecoder = (payload: Uint8Array) => readonly CacheEvent[] | undefined

/** The reader of MessagePack is loaded by those who need it. Hashes are unsigned 64-bit numbers, which only BigInt holds. */
export async function createBatchDecoder(): Promise<BatchDecoder> {
  const { decode } = await import('@msgpack/msgpack')
  return (payload) => {
    try {
      return eventsOf(decode(payload, { useBigInt64: true }))
    } catch {
      return undefined
    }
  }
}

/** A batch is `[time, events, rank?]`, or a map of the same. */
function eventsOf(batch: unknown): readonly CacheEvent[] | undefined {
  const events: unknown = Array.isArray(batch) ? batch[1] : recordOf(batch)?.['events']
  return Array.isArray(events) ? events.flatMap((event: unknown) => eventOf(event) ?? []) : undefined
}

/** Fields of the array form, by their place after the tag (before 2026-06-09). */
const STORED = ['block_hashes', 'parent_block_hash', 'token_ids', 'block_size', 'lora_id', 'medium', 'lora_name', 'extra_keys', 'group_idx']
const REMOVED = ['block_hashes', 'medium', 'group_idx']

/** Kinds that this version does not know are passed over. */
function eventOf(event: unknown): CacheEvent | undefined {
  const { type, fields } = tagged(event)
  if (type === 'AllBlocksCleared') return { kind: 'cleared', reason: 'engine' }
  // Blocks in main memory or on disk are not those that a prompt hits at once; hybrid models repeat each block for every group of layers.
  if (!isOnGpu(fields['medium']) || !isFirstGroup(fields['group_idx'])) return undefined
  const blocks = hashesOf(fields['block_hashes'])
  if (blocks === undefined) return undefined
  if (type === 'BlockRemoved') return { kind: 'removed', blocks }
  return type === 'BlockStored' ? stored(blocks, fields) : undefined
}

function stored(blocks: readonly string[], fields: Fields): CacheEvent | undefined {
  const { token_ids: tokenIds, block_size: blockTokens, parent_block_hash: parent } = fields
  if (!Array.isArray(tokenIds) || !tokenIds.every(isTokenId) || !isTokenId(blockTokens)) return undefined
  const adapter = adapterOf(fields)
  return {
    kind: 'stored',
    blocks,
    parent: parent === null || parent === undefined ? null : (hashText(parent) ?? null),
    tokenIds,
    blockTokens,
    ...(adapter === undefined ? {} : { adapter }),
  }
}

type Fields = Readonly<Record<string, unknown>>

function tagged(event: unknown): { readonly type: unknown; readonly fields: Fields } {
  if (!Array.isArray(event)) {
    const fields = recordOf(event) ?? {}
    return { type: fields['type'], fields }
  }
  const [type, ...values] = event as unknown[]
  const names = type === 'BlockStored' ? STORED : type === 'BlockRemoved' ? REMOVED : []
  return { type, fields: Object.fromEntries(names.map((name, index) => [name, values[index]])) }
}

function isOnGpu(medium: unknown): boolean {
  return medium === undefined || medium === null || medium === 'GPU'
}

function isFirstGroup(group: unknown): boolean {
  return group === undefined || group === null || group === 0
}

/** Old servers tell a number only; it must not be taken for the base model. */
function adapterOf({ lora_name: name, lora_id: id }: Fields): string | undefined {
  if (typeof name === 'string') return name
  return typeof id === 'number' || typeof id === 'bigint' ? `#${id}` : undefined
}

function hashesOf(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const hashes = value.map(hashText)
  return hashes.every((hash) => hash !== undefined) ? hashes : undefined
}

/** The low 64 bits as an unsigned number, or all bytes (VLLM_KV_EVENTS_USE_INT_BLOCK_HASHES=0). Small numbers come as numbers. */
function hashText(hash: unknown): string | undefined {
  if (typeof hash === 'bigint') return BigInt.asUintN(64, hash).toString(16).padStart(16, '0')
  if (typeof hash === 'number') return Number.isSafeInteger(hash) ? hashText(BigInt(hash)) : undefined
  if (hash instanceof Uint8Array) return Buffer.from(hash).toString('hex')
  return typeof hash === 'string' && hash !== '' ? hash : undefined
}

function isTokenId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function recordOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}
