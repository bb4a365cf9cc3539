import { createPluginHost, messageOf, silentLogger, type Detection, type EnginePlugin } from '@plimsoll/core'
import { installedEngines, loadEngines, type InstalledEngine } from './engine-catalogue.js'

export interface EngineReport extends InstalledEngine {
  readonly canLaunch: boolean
  readonly summary: string
  /** Null where the plugin cannot look. */
  readonly detection: Detection | null
}

const PATIENCE_MS = 3_000

/** Every installed engine with what was found of it on this machine. Nothing is started. */
export async function detectEngines(pluginRoots: readonly string[]): Promise<readonly EngineReport[]> {
  const installed = [...installedEngines(pluginRoots).values()]
  const plugins = await loadEngines(installed)
  return Promise.all(
    plugins.map(async (plugin, index) => ({
      ...(installed[index] as InstalledEngine),
      canLaunch: plugin.canLaunch,
      summary: plugin.summary,
      detection: await detect(plugin),
    })),
  )
}

/** A plugin that throws or hangs is reported, not waited for. */
async function detect(plugin: EnginePlugin): Promise<Detection | null> {
  if (plugin.detect === undefined) return null
  const late = new Promise<Detection>((resolve) => {
    setTimeout(() => resolve({ found: false, detail: `did not look within ${PATIENCE_MS / 1000} s` }), PATIENCE_MS).unref()
  })
  try {
    return await Promise.race([plugin.detect(createPluginHost(silentLogger)), late])
  } catch (error) {
    return { found: false, detail: `looking for it failed: ${messageOf(error)}` }
  }
}
