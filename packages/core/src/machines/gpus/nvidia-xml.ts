import type { GpuFacts } from './machine-gpu.js'
import { busId, celsius, freeOf, knownNumber, knownText, mebibytes, ratio } from './tool-values.js'
import { parseToolXml, type XmlNode } from './tool-xml.js'

/** One card of `nvidia-smi -q -x`. */
export interface XmlCard extends GpuFacts {
  readonly migMode: boolean
  readonly slices: readonly XmlSlice[]
}

export interface XmlSlice {
  readonly device: number
  readonly gpuInstance: number | null
  readonly computeInstance: number | null
  readonly uuid: string | null
  readonly memTotalMiB: number | null
  readonly memFreeMiB: number | null
}

/** Reads `nvidia-smi -q -x`, which knows MIG slices and sometimes what the CSV calls N/A. */
export function parseNvidiaXml(text: string): XmlCard[] {
  const log = parseToolXml(text)
  return (log?.all('gpu') ?? []).map(cardOf)
}

function cardOf(gpu: XmlNode, index: number): XmlCard {
  const name = knownText(gpu.text('product_name'))
  const uuid = knownText(gpu.text('uuid'))
  return {
    vendor: 'nvidia',
    source: 'nvidia-smi',
    index,
    uuid: uuid?.startsWith('GPU-') === true ? uuid : null,
    pciBusId: busId(gpu.attribute('id')) ?? busId(gpu.text('pci', 'pci_bus_id')),
    ...(name === undefined ? {} : { name: name.slice(0, 120) }),
    ...memoryOf(gpu),
    utilization: ratio(gpu.text('utilization', 'gpu_util')),
    temperatureC: celsius(gpu.text('temperature', 'gpu_temp')),
    migMode: /^enabled$/i.test(gpu.text('mig_mode', 'current_mig') ?? ''),
    slices: (gpu.child('mig_devices')?.all('mig_device') ?? []).map(sliceOf),
  }
}

function sliceOf(slice: XmlNode, position: number): XmlSlice {
  const uuid = knownText(slice.text('uuid'))
  return {
    device: knownNumber(slice.text('index')) ?? position,
    gpuInstance: knownNumber(slice.text('gpu_instance_id')),
    computeInstance: knownNumber(slice.text('compute_instance_id')),
    uuid: uuid?.startsWith('MIG-') === true ? uuid : null,
    ...memoryOf(slice),
  }
}

function memoryOf(node: XmlNode): { memTotalMiB: number | null; memFreeMiB: number | null } {
  const value = (name: string): string | undefined => node.text('fb_memory_usage', name)
  const memTotalMiB = mebibytes(value('total'))
  const free = mebibytes(value('free'), { zero: true })
  return { memTotalMiB, memFreeMiB: free ?? freeOf(memTotalMiB, mebibytes(value('used'), { zero: true })) }
}
