import type { GpuFacts } from './machine-gpu.js'
import { fieldsOf, readToolJson } from './read-tool-json.js'
import { amdUuid, busId, celsius, freeOf, knownText, mebibytesOfBytes, ratio } from './tool-values.js'

export const ROCM_SMI_ARGS = [
  '--showid',
  '--showproductname',
  '--showuniqueid',
  '--showmeminfo',
  'vram',
  'gtt',
  '--showuse',
  '--showtemp',
  '--showbus',
  '--json',
] as const

/** Reads `rocm-smi --json`: cards by name, all values texts, keys whose spelling drifts from release to release. */
export function parseRocmSmi(text: string): GpuFacts[] {
  return Object.entries(fieldsOf(readToolJson(text))).flatMap(([key, value]): GpuFacts[] => {
    const index = /^card(\d{1,4})$/i.exec(key)?.[1]
    return index === undefined ? [] : [factsOf(Number(index), fieldsOf(value))]
  })
}

function factsOf(index: number, card: Readonly<Record<string, unknown>>): GpuFacts {
  const said = (pattern: RegExp): unknown =>
    Object.entries(card).find(([key, value]) => pattern.test(key) && knownText(value) !== undefined)?.[1]
  const memTotalMiB = mebibytesOfBytes(said(/^vram total memory \(b\)$/i))
  const name = knownText(said(/^card series$/i)) ?? knownText(said(/^(device name|card model)$/i))
  return {
    vendor: 'amd',
    source: 'rocm-smi',
    index,
    uuid: amdUuid(said(/^unique id$/i)),
    pciBusId: busId(said(/^pci bus$/i)),
    ...(name === undefined ? {} : { name: name.slice(0, 120) }),
    memTotalMiB,
    memFreeMiB: freeOf(memTotalMiB, mebibytesOfBytes(said(/^vram total used memory \(b\)$/i), { zero: true })),
    utilization: ratio(said(/^gpu use \(%\)$/i)),
    temperatureC: celsius(said(/^temperature \(sensor edge\)/i)) ?? celsius(said(/^temperature \(sensor (junction|hotspot)\)/i)),
    ...sharedMemory(memTotalMiB, {
      totalMiB: mebibytesOfBytes(said(/^gtt total memory \(b\)$/i)),
      usedMiB: mebibytesOfBytes(said(/^gtt total used memory \(b\)$/i), { zero: true }),
    }),
  }
}

/** Less than this is a carve-out for the screen, not a card's memory. */
export const SMALLEST_CARD_MIB = 1024

/** A part without memory of its own works in the machine's, as much of it as the driver lends (GTT). */
export function sharedMemory(
  vramMiB: number | null,
  gtt: { readonly totalMiB: number | null; readonly usedMiB: number | null },
): Partial<GpuFacts> {
  if (vramMiB === null || vramMiB >= SMALLEST_CARD_MIB || gtt.totalMiB === null || gtt.totalMiB < SMALLEST_CARD_MIB) return {}
  return { unified: true, memTotalMiB: gtt.totalMiB, memFreeMiB: freeOf(gtt.totalMiB, gtt.usedMiB) }
}
