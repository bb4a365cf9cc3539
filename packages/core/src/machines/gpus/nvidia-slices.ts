import { machineGpu, type GpuFacts, type MachineGpu } from './machine-gpu.js'
import type { ListedCard } from './nvidia-list.js'
import type { XmlCard, XmlSlice } from './nvidia-xml.js'

/** The MIG slices of a card: names from `nvidia-smi -L`, sizes from the XML, joined by the slice's number on its card. */
export function slicesOf(card: GpuFacts, detail: XmlCard | undefined, list: ListedCard | undefined): MachineGpu[] {
  const sizes = detail?.slices ?? []
  const names = list?.slices ?? []
  const devices = new Set([...names.map((slice) => slice.device), ...sizes.map((slice) => slice.device)])
  return [...devices]
    .sort((a, b) => a - b)
    .flatMap((device): MachineGpu[] => {
      const size = sizes.find((slice) => slice.device === device)
      const name = names.find((slice) => slice.device === device)
      const uuid = name?.uuid ?? size?.uuid ?? legacyId(card, size)
      if (uuid === undefined) return []
      return [
        machineGpu({
          vendor: 'nvidia',
          source: card.source,
          index: card.index,
          uuid,
          pciBusId: card.pciBusId ?? null,
          ...(card.name === undefined ? {} : { name: card.name }),
          ...(typeof card.uuid === 'string' ? { cardUuid: card.uuid } : {}),
          ...(card.broken === undefined ? {} : { broken: card.broken }),
          memTotalMiB: size?.memTotalMiB ?? null,
          memFreeMiB: size?.memFreeMiB ?? null,
          temperatureC: card.temperatureC ?? null,
          migProfile: name?.profile ?? 'MIG',
        }),
      ]
    })
}

/** The form before driver 470, for a slice that `-L` does not name. */
function legacyId(card: GpuFacts, size: XmlSlice | undefined): string | undefined {
  if (typeof card.uuid !== 'string' || size === undefined || size.gpuInstance === null || size.computeInstance === null) return undefined
  return `MIG-${card.uuid}/${size.gpuInstance}/${size.computeInstance}`
}
