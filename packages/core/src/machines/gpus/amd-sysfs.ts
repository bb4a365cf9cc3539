import type { GpuMachine } from './gpu-machine.js'
import type { GpuFacts } from './machine-gpu.js'
import { sharedMemory } from './rocm-smi.js'
import { amdUuid, busId, celsius, freeOf, knownNumber, mebibytesOfBytes, ratio } from './tool-values.js'

const DRM = '/sys/class/drm'
const KFD = '/sys/class/kfd/kfd/topology/nodes'
const AMD_VENDOR = '0x1002'
const MOST_ENTRIES = 256

/** AMD cards as the kernel itself tells them: no tool, no process, so this is also what refreshes cost. Ordered by PCI bus id. */
export async function readAmdSysfs(machine: GpuMachine): Promise<GpuFacts[]> {
  const cards = (await machine.list(DRM)).filter((name) => /^card\d{1,4}$/.test(name)).slice(0, MOST_ENTRIES)
  const found = (await Promise.all(cards.map((card) => readCard(machine, `${DRM}/${card}/device`)))).filter((facts) => facts !== undefined)
  if (found.length === 0) return []
  const runtime = await runtimeOrder(machine)
  return found
    .sort((a, b) => (a.pciBusId ?? '').localeCompare(b.pciBusId ?? ''))
    .map((facts, index) => {
      const runtimeIndex = runtime.indexOf(facts.pciBusId ?? '')
      return { ...facts, index, ...(runtimeIndex < 0 ? {} : { runtimeIndex }) }
    })
}

async function readCard(machine: GpuMachine, folder: string): Promise<GpuFacts | undefined> {
  const read = async (name: string): Promise<string | undefined> => (await machine.readText(`${folder}/${name}`))?.trim()
  if ((await read('vendor')) !== AMD_VENDOR) return undefined
  const uevent = (await read('uevent')) ?? ''
  const memTotalMiB = mebibytesOfBytes(await read('mem_info_vram_total'))
  const name = await read('product_name')
  return {
    vendor: 'amd',
    source: 'sysfs',
    index: 0,
    uuid: amdUuid(await read('unique_id')),
    pciBusId: busId(/^PCI_SLOT_NAME=(\S+)/m.exec(uevent)?.[1]),
    ...(name === undefined || name === '' ? {} : { name: name.slice(0, 120) }),
    memTotalMiB,
    memFreeMiB: freeOf(memTotalMiB, mebibytesOfBytes(await read('mem_info_vram_used'), { zero: true })),
    utilization: ratio(await read('gpu_busy_percent')),
    temperatureC: await temperatureOf(machine, `${folder}/hwmon`),
    ...sharedMemory(memTotalMiB, {
      totalMiB: mebibytesOfBytes(await read('mem_info_gtt_total')),
      usedMiB: mebibytesOfBytes(await read('mem_info_gtt_used'), { zero: true }),
    }),
  }
}

/** The first sensor, in thousandths of a degree. */
async function temperatureOf(machine: GpuMachine, folder: string): Promise<number | null> {
  for (const sensor of (await machine.list(folder)).filter((name) => name.startsWith('hwmon'))) {
    const thousandths = knownNumber((await machine.readText(`${folder}/${sensor}/temp1_input`))?.trim())
    if (thousandths !== null) return celsius(String(thousandths / 1000))
  }
  return null
}

/** Bus ids in the order in which ROCr and HIP count: KFD's nodes that can compute. Tools and `card` numbers may count otherwise. */
async function runtimeOrder(machine: GpuMachine): Promise<string[]> {
  const nodes = (await machine.list(KFD))
    .filter((name) => /^\d{1,4}$/.test(name))
    .sort((a, b) => Number(a) - Number(b))
    .slice(0, MOST_ENTRIES)
  const order: string[] = []
  for (const node of nodes) {
    const text = (await machine.readText(`${KFD}/${node}/properties`)) ?? ''
    const value = (name: string): number => Number(new RegExp(`^${name} (\\d{1,15})$`, 'm').exec(text)?.[1] ?? 0)
    if (value('simd_count') > 0) order.push(busOfLocation(value('domain'), value('location_id')))
  }
  return order
}

/** `location_id` holds bus, device and function: kfd_topology.c of Linux. */
function busOfLocation(domain: number, location: number): string {
  const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0')
  return `${hex(domain, 4)}:${hex((location >> 8) & 0xff, 2)}:${hex((location >> 3) & 0x1f, 2)}.${location & 7}`
}
