import { readdirSync, readFileSync } from 'node:fs'

/** What a process does, as the kernel tells. Linux only; undefined where it tells nothing. */
export interface ProcessGlance {
  /** `R`, `S`, `D`, `T`: proc_pid_stat(5). */
  readonly state: string
  /** Processor time of it and its descendants since they started, in the kernel's ticks. */
  readonly ticks: number
}

/** More about one process, for whoever wants to know later why it hung. */
export interface ProcessDossier {
  readonly pid: number
  readonly name: string | null
  readonly state: string | null
  readonly threads: number | null
  readonly memoryKiB: number | null
  readonly swapKiB: number | null
  readonly openFiles: number | null
  /** Where in the kernel it waits. */
  readonly waitsIn: string | null
  readonly ticks: number | null
}

const MOST_PROCESSES = 64

export function glanceAt(pid: number): ProcessGlance | undefined {
  const own = statOf(pid)
  if (own === undefined) return undefined
  const below = descendantsBelow(pid).map((each) => statOf(each)?.ticks ?? 0)
  return { state: own.state, ticks: below.reduce((sum, ticks) => sum + ticks, own.ticks) }
}

/** The process and its descendants; those that cannot be read are left out. */
export function dossiersOf(pid: number): ProcessDossier[] {
  return [pid, ...descendantsBelow(pid)].flatMap((each) => dossierOf(each) ?? [])
}

function dossierOf(pid: number): ProcessDossier | undefined {
  const status = read(`/proc/${pid}/status`)
  if (status === undefined) return undefined
  const line = (name: string): string | null => new RegExp(`^${name}:\\s+(.+)$`, 'm').exec(status)?.[1] ?? null
  const number = (name: string): number | null => {
    const text = line(name)
    return text === null ? null : Number.parseInt(text, 10)
  }
  return {
    pid,
    name: line('Name'),
    state: line('State'),
    threads: number('Threads'),
    memoryKiB: number('VmRSS'),
    swapKiB: number('VmSwap'),
    openFiles: list(`/proc/${pid}/fd`)?.length ?? null,
    waitsIn: read(`/proc/${pid}/wchan`) ?? null,
    ticks: statOf(pid)?.ticks ?? null,
  }
}

/** Children are told by each thread that made them. */
function descendantsBelow(pid: number): number[] {
  const found: number[] = []
  const queue = [pid]
  for (let parent = queue.shift(); parent !== undefined && found.length < MOST_PROCESSES; parent = queue.shift()) {
    for (const thread of list(`/proc/${parent}/task`) ?? []) {
      const children = (read(`/proc/${parent}/task/${thread}/children`) ?? '').split(' ').filter((each) => each !== '')
      for (const child of children.map(Number)) {
        found.push(child)
        queue.push(child)
      }
    }
  }
  return found
}

/** Fields after the command, which may itself hold spaces and brackets. */
function statOf(pid: number): ProcessGlance | undefined {
  const text = read(`/proc/${pid}/stat`)
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields === undefined) return undefined
  return { state: fields[0] ?? '', ticks: Number(fields[11] ?? 0) + Number(fields[12] ?? 0) }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trimEnd()
  } catch {
    return undefined
  }
}

function list(path: string): string[] | undefined {
  try {
    return readdirSync(path)
  } catch {
    return undefined
  }
}
