import { createHash, randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ClaimOptions<Holder> {
  /** The file that one process at a time may hold; its folder must exist. */
  readonly path: string
  /** Written into the file; plain data that names this process. */
  readonly own: Holder
  /** False for a holder that has ended: its file is taken over. */
  readonly isAlive: (holder: Holder) => Promise<boolean>
}

/** `holder` is undefined where it cannot be told. */
export type Claim<Holder> =
  | { readonly won: true; readonly release: () => void }
  | { readonly won: false; readonly holder: Holder | undefined }

const MOST_ROUNDS = 20
const PAUSE_MS = 5
const DEEPEST_GUARD = 3

/** Exactly one of any number of processes holds the file. A holder that ended, or a torn file, is replaced, again by exactly one. */
export async function claimFile<Holder extends object>(options: ClaimOptions<Holder>, depth = 0): Promise<Claim<Holder>> {
  const { path, own, isAlive } = options
  const text = JSON.stringify(own)
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    if (round > 0) await sleep(PAUSE_MS)
    if (placeWhole(path, text, linkSync)) return held(path, text)
    const found = readText(path)
    const holder = found === undefined ? undefined : (parseObject(found) as Holder | undefined)
    if (holder !== undefined && (await isAlive(holder))) return { won: false, holder }
    if (found !== undefined && depth < DEEPEST_GUARD && (await replaceStale(options, found, depth))) return held(path, text)
  }
  return { won: false, holder: undefined }
}

/** Only the holder of the guard of this very content may replace it, so that a fresh claim is never taken for the stale one. */
async function replaceStale<Holder extends object>(options: ClaimOptions<Holder>, stale: string, depth: number): Promise<boolean> {
  const name = createHash('sha256').update(stale).digest('hex').slice(0, 12)
  const guard = await claimFile({ ...options, path: `${options.path}.${name}` }, depth + 1)
  if (!guard.won) return false
  try {
    return readText(options.path) === stale && placeWhole(options.path, JSON.stringify(options.own), renameSync)
  } finally {
    guard.release()
  }
}

/** Puts a finished file in place: nobody ever reads a half-written one. */
function placeWhole(path: string, text: string, place: (draft: string, path: string) => void): boolean {
  const draft = `${path}.draft-${randomBytes(6).toString('hex')}`
  writeFileSync(draft, text, { mode: 0o600 })
  try {
    place(draft, path)
    return true
  } catch {
    return false
  } finally {
    rmSync(draft, { force: true })
  }
}

function held<Holder>(path: string, text: string): Claim<Holder> {
  let holds = true
  return {
    won: true,
    release() {
      if (holds && readText(path) === text) rmSync(path, { force: true })
      holds = false
    },
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
