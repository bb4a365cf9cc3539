import { existsSync, lstatSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the core that this lb runs on. */
export function coreFolder(): string {
  return dirname(fileURLToPath(import.meta.resolve('@plimsoll/core/package.json')))
}

/** Installed plugins without a core of their own use this lb's, by a link beside them. An lb that was installed anew lies elsewhere: then the link is set right. */
export function keepCoreLink(pluginRoot: string): void {
  const at = pluginRoot.lastIndexOf(`${sep}node_modules${sep}`)
  if (at < 0) return
  const link = join(pluginRoot.slice(0, at), 'node_modules', '@plimsoll', 'core')
  try {
    if (!lstatSync(link).isSymbolicLink() || existsSync(link)) return
    rmSync(link)
    symlinkSync(coreFolder(), link)
  } catch {
    // There is no such link, or the folder cannot be written: the plugin that needs it will say so.
  }
}
