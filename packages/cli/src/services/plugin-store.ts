import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LbError, messageOf } from '@plimsoll/core'

/** One plugin that the user added; the form is that of @oclif/plugin-plugins, whose other commands read the same file. */
export type StoredPlugin =
  | { readonly name: string; readonly type: 'user'; readonly url?: string; readonly tag?: string }
  | { readonly name: string; readonly type: 'link'; readonly root: string }

interface StoreFile {
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly oclif?: { readonly schema?: number; readonly plugins?: readonly StoredPlugin[] }
}

/** The folder that holds installed plugins: a package.json that npm and oclif know how to read. */
export class PluginStore {
  constructor(readonly folder: string) {}

  get plugins(): readonly StoredPlugin[] {
    return this.read().oclif?.plugins ?? []
  }

  get dependencies(): Readonly<Record<string, string>> {
    return this.read().dependencies ?? {}
  }

  /** Where npm puts a package. */
  rootOf(name: string): string {
    return join(this.folder, 'node_modules', name)
  }

  /** Makes the folder ready for npm. */
  prepare(): void {
    mkdirSync(this.folder, { recursive: true })
    this.write(this.plugins)
  }

  add(plugin: StoredPlugin): void {
    this.write([...this.plugins.filter(({ name }) => name !== plugin.name), plugin])
  }

  remove(name: string): void {
    this.write(this.plugins.filter((plugin) => plugin.name !== name))
  }

  private read(): StoreFile {
    const path = join(this.folder, 'package.json')
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch {
      return {}
    }
    try {
      return JSON.parse(text) as StoreFile
    } catch (cause) {
      throw new LbError(`${path} cannot be read: ${messageOf(cause)}`, {
        code: 'LB_PLUGINS_UNREADABLE',
        source: 'operator',
        hint: 'repair it, or remove the file and install the plugins again',
        cause,
      })
    }
  }

  private write(plugins: readonly StoredPlugin[]): void {
    const before = this.read()
    const path = join(this.folder, 'package.json')
    const text = JSON.stringify({ private: true, ...before, oclif: { schema: 1, ...before.oclif, plugins } }, null, 2)
    writeFileSync(`${path}.${process.pid}`, `${text}\n`)
    renameSync(`${path}.${process.pid}`, path)
  }
}
