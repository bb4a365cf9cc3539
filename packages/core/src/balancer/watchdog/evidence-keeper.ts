import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../contracts/index.js'
import { messageOf } from '../../errors/index.js'

export interface EvidenceKeeperOptions {
  /** Folder of the files; made when the first one is written. */
  readonly folder: string
  readonly log: Logger
  readonly mostFiles?: number
  readonly mostBytes?: number
}

const MOST_FILES = 20
const MOST_BYTES = 128 * 1024
const NAME = /^\d{8}T\d{9}-[\w.-]+\.json$/

/** Keeps what was seen of nodes that hung: a file each, the newest twenty. Whatever goes wrong here is logged and hurts nothing else. */
export class EvidenceKeeper {
  private work: Promise<void> = Promise.resolve()

  constructor(private readonly options: EvidenceKeeperOptions) {}

  /** Where the file of this moment will stand: `20261121T155512123-pool-node.json`. */
  pathFor(nodeId: string, epochMs: number): string {
    const moment = new Date(epochMs).toISOString().replaceAll(/[-:.Z]/g, '')
    return join(this.options.folder, `${moment}-${nodeId.replaceAll(/[^\w.-]/g, '-').slice(0, 100)}.json`)
  }

  /** Resolves when it is on the disk, or never will be. */
  write(path: string, evidence: object): Promise<void> {
    this.work = this.work
      .then(() => this.store(path, evidence))
      .catch((error: unknown) => this.options.log.warn('evidence.not_kept', { file: path, error: messageOf(error) }))
    return this.work
  }

  private async store(path: string, evidence: object): Promise<void> {
    const { folder, mostBytes = MOST_BYTES } = this.options
    const text = `${JSON.stringify(evidence, null, 2)}\n`
    if (Buffer.byteLength(text) > mostBytes) throw new Error(`it is longer than ${mostBytes} bytes`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const draft = `${path}.draft`
    try {
      const file = await open(draft, 'w', 0o600)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, path)
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
    await this.tidy()
  }

  private async tidy(): Promise<void> {
    const { folder, mostFiles = MOST_FILES } = this.options
    const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort()
    for (const name of names.slice(0, Math.max(0, names.length - mostFiles))) await rm(join(folder, name), { force: true })
  }
}
