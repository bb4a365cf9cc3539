import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What an engine keeps of its accelerator while it sleeps. */
const ASLEEP_MIB = 300

export interface MemoryOptions {
  /** Holds `total`, and for each process that uses the card a file `<pid>.used`, all in MiB. A stand-in of a vendor's tool reads it. */
  readonly folder: string
  readonly mib: number
}

/** The memory of a simulated accelerator, which all simulated engines on it share as processes share a real one. */
export class SimMemory {
  constructor(private readonly options: MemoryOptions) {}

  /** False where the others leave too little: a real engine would end with an error of its driver. */
  take(): boolean {
    const { folder, mib } = this.options
    this.write(mib)
    const used = readdirSync(folder).filter((name) => /^\d+\.used$/u.test(name) && isAlive(Number.parseInt(name, 10)))
    const sum = used.reduce((all, name) => all + numberIn(join(folder, name)), 0)
    if (sum <= numberIn(join(folder, 'total'))) return true
    this.sleep()
    return false
  }

  /** What stays on the card is little, but not nothing. */
  sleep(): void {
    this.write(Math.min(ASLEEP_MIB, this.options.mib))
  }

  release(): void {
    rmSync(this.path, { force: true })
  }

  private write(mib: number): void {
    writeFileSync(this.path, String(mib))
  }

  private get path(): string {
    return join(this.options.folder, `${process.pid}.used`)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A file that is not there, or is written right now, is none. */
function numberIn(path: string): number {
  try {
    const value = Number(readFileSync(path, 'utf8'))
    return Number.isFinite(value) ? value : 0
  } catch {
    return 0
  }
}
