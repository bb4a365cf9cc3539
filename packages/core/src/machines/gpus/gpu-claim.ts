import type { ProcessIdentity } from '../identity.js'

/** What one reservation file says. */
export interface GpuClaim {
  readonly key: string
  /** `topology/node`. */
  readonly holder: string
  readonly mark: string
  readonly share: boolean
  readonly needMiB: number | null
  /** Written, but not yet known to stand. */
  readonly tentative: boolean
  readonly balancer: ProcessIdentity
  readonly engine?: ProcessIdentity
}

const LONGEST = 300

export function gpuClaimText(claim: GpuClaim): string {
  return JSON.stringify({ v: 1, ...claim })
}

/** Undefined for everything that no balancer has written. Texts that people will read come back plain and short. */
export function readGpuClaim(text: string): GpuClaim | undefined {
  const value = objectOf(text)
  const { v, key, holder, mark, share, needMiB, tentative, balancer, engine } = value ?? {}
  if (v !== 1 || typeof share !== 'boolean' || typeof tentative !== 'boolean' || !isIdentity(balancer)) return undefined
  if (engine !== undefined && !isIdentity(engine)) return undefined
  if (!isText(key) || !isText(holder) || !isText(mark)) return undefined
  return {
    key,
    holder,
    mark,
    share,
    tentative,
    needMiB: typeof needMiB === 'number' && Number.isFinite(needMiB) && needMiB >= 0 ? needMiB : null,
    balancer,
    ...(engine === undefined ? {} : { engine }),
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  const { pid, startTime, bootId } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<string, unknown>>
  return Number.isSafeInteger(pid) && Number(pid) > 0 && isText(startTime) && isText(bootId)
}

/** Printable ASCII: another user may have written it. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST && /^[\x20-\x7e]+$/.test(value)
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
