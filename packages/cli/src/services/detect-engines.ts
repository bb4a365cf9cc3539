import { createPluginHost, messageOf, silentLogger, type Detection, type EnginePlugin } from '@plimsoll/core'
import { installedEngines, loadEngines, type InstalledEngine, type PluginFault } from './engine-catalogue.js'

export interface EngineReport extends InstalledEngine {
  readonly canLaunch: boolean
  readonly summary: string
  /** Null where the plugin cannot look. */
  readonly detection: Detection | null
}

const PATIENCE_MS = 3_000

/** Every installed engine with what was found of it on this machine, broken plugins last. Nothing is started. */
export async function detectEngines(pluginRoots: readonly string[]): Promise<readonly EngineReport[]> {
  const { engines, faults } = installedEngines(pluginRoots)
  const installed = [...engines.values()]
  const plugins = await loadEngines(installed)
  const reports = await Promise.all(
    plugins.map(async (plugin, index) => ({
      ...(installed[index] as InstalledEngine),
      canLaunch: plugin.canLaunch,
      summary: plugin.summary,
      detection: await detect(plugin),
    })),
  )
  return [...reports, ...faults.flatMap((fault) => faultReports(fault))]
}

function faultReports({ packageName, engines, error }: PluginFault): readonly EngineReport[] {
  return (engines.length === 0 ? ['?'] : engines).map((engine) => ({
    engine,
    packageName,
    packageVersion: '',
    modulePath: '',
    canLaunch: false,
    summary: error.message,
    detection: { found: false, detail: error.message },
  }))
}

/** A plugin that throws or hangs is reported, not waited for; one that never gives the processor back cannot be helped from here. */
async function detect(plugin: EnginePlugin): Promise<Detection | null> {
  if (plugin.detect === undefined) return null
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Detection>((resolve) => {
    timer = setTimeout(() => resolve({ found: false, detail: `did not look within ${PATIENCE_MS / 1000} s` }), PATIENCE_MS)
  })
  try {
    return await Promise.race([plugin.detect(createPluginHost(silentLogger)), late])
  } catch (error) {
    return { found: false, detail: `looking for it failed: ${messageOf(error)}` }
  } finally {
    clearTimeout(timer)
  }
}
