import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LbError, messageOf } from '../../errors/index.js'
import { isSameProcess, ownIdentity, type ProcessIdentity } from '../identity.js'
import { gpuClaimText, readGpuClaim, type GpuClaim } from './gpu-claim.js'

/** One folder for all users of a machine; a balancer elsewhere (`LB_GPU_FOLDER`) sees none of its reservations. */
const DEFAULT_FOLDER = '/tmp/plimsoll-gpus'
const MOST_CLAIM_BYTES = 4_096
const MOST_ENTRIES = 5_000
const PAUSE_MS = 10
const MOST_ROUNDS = 100

/** A reservation that lives: its file, who wrote it, and what it says. */
export interface LiveClaim extends GpuClaim {
  readonly path: string
  /** Owner of the file: what it says of itself is not asked. */
  readonly uid: number
}

/** Whether a reservation was made by this process for a topology; a name alone says nothing, for another user may have the same. */
export function isOwnClaim({ holder, uid, balancer }: LiveClaim, topologyName: string): boolean {
  return balancer.pid === process.pid && uid === process.getuid?.() && holder.startsWith(`${topologyName}/`)
}

/** Accelerators held for one node. */
export interface GpuHold {
  /** The engine runs: the reservation now lives as long as it does, also when this process ends. */
  handOver(engine: ProcessIdentity): void
  /** Writes it anew: folders for temporary files are cleared of what nobody has touched for days. */
  renew(): void
  release(): void
}

export interface GpuWant {
  readonly keys: readonly string[]
  /** `topology/node`, for people. */
  readonly holder: string
  /** Value of LB_NODE of the engine; finds the reservation again after a restart of the balancer. */
  readonly mark: string
  /** Others that say the same may use it too. */
  readonly share: boolean
  /** What the engine is expected to take of each, where that is known. */
  readonly needMiB: number | null
}

export type TakeResult = { readonly hold: GpuHold } | { readonly taken: LiveClaim }

/**
 * Who uses which accelerator on this machine, across topologies and users: one file for each reservation in one folder. Whoever wants one writes
 * first and looks then, so of two at once at least one sees the other; files of ended processes count for nothing.
 */
export class GpuReservations {
  private readonly folder: string

  constructor(env: NodeJS.ProcessEnv) {
    const given = env['LB_GPU_FOLDER']
    this.folder = given?.startsWith('/') === true ? given : DEFAULT_FOLDER
  }

  /** All reservations whose process lives. Never throws: without a folder there are none. */
  async living(): Promise<readonly LiveClaim[]> {
    const checked = await Promise.all(this.files().map(async (claim) => ((await livesOf(claim)) ? claim : undefined)))
    return checked.filter((claim) => claim !== undefined)
  }

  /** Takes all of these or none. Throws LB_GPU_FOLDER where nothing can be written. */
  async take(want: GpuWant): Promise<TakeResult> {
    this.prepare()
    const own = await ownIdentity()
    const written: OwnClaim[] = []
    const release = (): void => written.splice(0).forEach((claim) => rmSync(claim.path, { force: true }))
    try {
      // In one order for all, or two that want the same two would each get one.
      for (const key of [...want.keys].sort()) {
        const claim = this.write({ ...want, key, balancer: own, tentative: true })
        written.push(claim)
        const taken = await this.settle(claim)
        if (taken !== undefined) {
          release()
          return { taken }
        }
      }
    } catch (error) {
      release()
      throw error
    }
    return { hold: holdOf(written, release) }
  }

  /** Finds the reservations of an engine that outlived its balancer; they become this balancer's. Undefined where it has none. */
  async adopt(mark: string): Promise<{ readonly hold: GpuHold; readonly keys: readonly string[] } | undefined> {
    const uid = process.getuid?.() ?? 0
    const own = await ownIdentity()
    const found = (await this.living()).filter((claim) => claim.mark === mark && claim.uid === uid)
    if (found.length === 0) return undefined
    const written = found.map(({ path, uid: _uid, ...claim }): OwnClaim => ({ path, claim: { ...claim, balancer: own } }))
    for (const each of written) replace(each)
    const release = (): void => written.splice(0).forEach((claim) => rmSync(claim.path, { force: true }))
    return { hold: holdOf(written, release), keys: found.map((claim) => claim.key) }
  }

  /** Who is in the way of a claim just written; undefined: nobody, and it stands. */
  private async settle(own: OwnClaim): Promise<LiveClaim | undefined> {
    for (let round = 0; ; round += 1) {
      const others = (await this.living()).filter(
        (claim) => claim.path !== own.path && claim.key === own.claim.key && !canShare(claim, own.claim),
      )
      if (others.length === 0) break
      const first = others.find((claim) => !claim.tentative || claim.path < own.path)
      if (first !== undefined || round === MOST_ROUNDS) return first ?? others[0]
      // They have not yet looked, or have seen this one: they will turn out to have been first, or give way.
      await sleep(PAUSE_MS)
    }
    own.claim = { ...own.claim, tentative: false }
    replace(own)
    return undefined
  }

  private write(want: GpuWant & { key: string; balancer: ProcessIdentity; tentative: boolean }): OwnClaim {
    const { keys: _keys, ...claim } = want
    const name = `${claim.key.replaceAll(/[^\w.:-]/g, '_').slice(0, 100)}~${randomBytes(8).toString('hex')}.json`
    const own: OwnClaim = { path: join(this.folder, name), claim }
    place(own, linkSync)
    return own
  }

  private files(): LiveClaim[] {
    try {
      const names = readdirSync(this.folder).filter((name) => /^[\w.:-]{1,100}~[0-9a-f]{16}\.json$/.test(name))
      return names.slice(0, MOST_ENTRIES).flatMap((name) => readClaimFile(join(this.folder, name)) ?? [])
    } catch {
      return []
    }
  }

  /** Makes the folder where it is missing: everybody may write, nobody may take away another's file. */
  private prepare(): void {
    if (!existsSync(this.folder)) makeFolder(this.folder)
    const found = lstatSync(this.folder)
    if (!found.isDirectory()) throw unusable(this.folder, 'it is no folder')
    const own = process.getuid?.() === found.uid
    if (!own && found.uid !== 0 && (found.mode & 0o1002) !== 0o1002) throw unusable(this.folder, `it belongs to user ${found.uid} alone`)
    this.sweep()
  }

  /** Own files of ended processes, and drafts that a kill has left. Other users' cannot be removed, and count for nothing. */
  private sweep(): void {
    const uid = process.getuid?.() ?? 0
    for (const claim of this.files()) {
      if (claim.uid !== uid) continue
      void livesOf(claim).then((lives) => lives || rmSync(claim.path, { force: true }))
    }
  }
}

/** Put in place with its rights: another user who comes at this moment must not see it without. */
function makeFolder(folder: string): void {
  const draft = `${folder}.draft-${process.pid}-${randomBytes(4).toString('hex')}`
  try {
    mkdirSync(draft)
    chmodSync(draft, 0o1777)
    renameSync(draft, folder)
  } catch (error) {
    if (!existsSync(folder)) throw unusable(folder, messageOf(error))
  } finally {
    rmSync(draft, { force: true, recursive: true })
  }
}

interface OwnClaim {
  readonly path: string
  claim: GpuClaim
}

function holdOf(written: readonly OwnClaim[], release: () => void): GpuHold {
  return {
    release,
    renew: () => written.forEach(replace),
    handOver(engine) {
      for (const own of written) own.claim = { ...own.claim, engine }
      written.forEach(replace)
    },
  }
}

function canShare(a: GpuClaim, b: GpuClaim): boolean {
  return a.share && b.share
}

/** A reservation lives with its engine, and with the balancer that is about to start or to clear it. */
async function livesOf(claim: GpuClaim): Promise<boolean> {
  try {
    return (claim.engine !== undefined && (await isSameProcess(claim.engine))) || (await isSameProcess(claim.balancer))
  } catch {
    // The process table cannot be read: rather one GPU idle than two engines on it.
    return true
  }
}

function replace(own: OwnClaim): void {
  place(own, renameSync)
}

/** Whole or not at all, and readable for everybody whatever the umask. */
function place({ path, claim }: OwnClaim, put: (draft: string, path: string) => void): void {
  const draft = `${path}.draft-${process.pid}`
  try {
    writeFileSync(draft, gpuClaimText(claim), { flag: 'wx', mode: 0o644 })
    chmodSync(draft, 0o644)
    put(draft, path)
  } catch (error) {
    throw unusable(path, messageOf(error))
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Anybody may have put anything there: pipes, links and large files are passed over. */
function readClaimFile(path: string): LiveClaim | undefined {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const found = fstatSync(file)
    if (!found.isFile() || found.size > MOST_CLAIM_BYTES) return undefined
    const bytes = Buffer.alloc(MOST_CLAIM_BYTES)
    const claim = readGpuClaim(bytes.toString('utf8', 0, readSync(file, bytes)))
    return claim === undefined ? undefined : { ...claim, path, uid: found.uid }
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function unusable(path: string, why: string): LbError {
  return new LbError(`GPUs cannot be reserved in ${path}: ${why}`, {
    code: 'LB_GPU_FOLDER',
    source: 'operator',
    hint: 'without reservations two topologies could take one GPU; make the folder writable for all (chmod 1777), or set LB_GPU_FOLDER to one that is',
  })
}
