import type { VllmSettings } from './settings.js'

/** What an instance's further ports are for. Absent: not needed, or not given yet (`lb plan` asks before ports are taken). */
export interface PortUse {
  readonly kvEvents?: { readonly events: number; readonly replay: number }
  /** Where NIXL's ranks meet. */
  readonly sideChannel?: number
  readonly dataParallelRpc?: number
}

/** How many ports an instance needs beside the one that it serves on. */
export function extraPortCount(settings: VllmSettings): number {
  return wishes(settings).length
}

/** Deals the ports out, always in the same order: an adopted engine must be read as it was launched. */
export function portUse(settings: VllmSettings, ports: readonly number[]): PortUse {
  const dealt = Object.fromEntries(wishes(settings).map((wish, index) => [wish, ports[index] ?? 0]))
  return {
    ...(dealt['events'] === undefined ? {} : { kvEvents: { events: dealt['events'], replay: dealt['replay'] ?? 0 } }),
    ...(dealt['sideChannel'] === undefined ? {} : { sideChannel: dealt['sideChannel'] }),
    ...(dealt['dataParallelRpc'] === undefined ? {} : { dataParallelRpc: dealt['dataParallelRpc'] }),
  }
}

function wishes({ kvEvents, kvTransfer, dataParallel = 1 }: VllmSettings): string[] {
  const nixl = JSON.stringify(kvTransfer ?? {}).includes('NixlConnector')
  return [
    ...(kvEvents === true ? ['events', 'replay'] : []),
    ...(nixl ? ['sideChannel'] : []),
    ...(dataParallel > 1 ? ['dataParallelRpc'] : []),
  ]
}
